// A clicker with three buttons for an ESP32. Library: "MQTT" by Joël Gähwiler, which supports QoS 1.
#include <WiFi.h>
#include <MQTT.h>
#include <Preferences.h>

WiFiClient net;
MQTTClient client(128);
Preferences memory;                                    // keeps the number of the last vote without power
const int BUTTONS[] = {25, 26, 27};

void setup() {
  for (int pin : BUTTONS) pinMode(pin, INPUT_PULLUP);
  memory.begin("votes");
  WiFi.begin("hall", "password");
  client.begin("192.168.1.10", net);
}

void loop() {
  client.loop();
  stayConnected();
  for (int i = 0; i < 3; i++) {
    if (digitalRead(BUTTONS[i]) == LOW) vote('a' + i);
  }
}

// Returns once the clicker is connected.
void stayConnected() {
  while (!client.connected()) {
    delay(random(500, 3000));                        // so that clickers do not all reconnect at once
    client.connect("clicker-17", "clicker-17", "its-secret");
  }
}

// Returns once the vote is acknowledged. If the connection is lost, the vote is sent again over the next one; thanks to its
// number, it is not counted twice.
void vote(char choice) {
  uint32_t n = memory.getUInt("n", 0) + 1;
  memory.putUInt("n", n);
  char text[32];
  snprintf(text, sizeof text, "{\"c\":\"%c\",\"n\":%u}", choice, (unsigned)n);
  while (!client.publish("vote/room/hall", text, false, 1)) {   // true: acknowledged
    delay(200);
    stayConnected();
  }
  delay(300);
}
