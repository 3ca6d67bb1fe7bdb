// Runs a sketch (argv: port, presses) until every press has been acknowledged. The functions of a sketch need no prototypes,
// which the Arduino IDE adds.
#include <MQTT.h>
void stayConnected();
void vote(char choice);
#include SKETCH

int main(int, char **argv) {
  port = atoi(argv[1]);
  presses = argv[2];
  setup();
  while (!presses.empty()) loop();
}
