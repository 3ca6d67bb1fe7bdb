/* Votes with Eclipse Paho C (argv: port, choice), and connects and publishes again until the vote is acknowledged. */
#include <MQTTClient.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv) {
  char url[64];
  snprintf(url, sizeof url, "tcp://127.0.0.1:%s", argv[1]);
  MQTTClient client;
  MQTTClient_create(&client, url, "paho-c", MQTTCLIENT_PERSISTENCE_NONE, NULL);
  MQTTClient_connectOptions options = MQTTClient_connectOptions_initializer;
  options.cleansession = 1;
  for (int tries = 0; tries < 20; tries++) {
    if (!MQTTClient_isConnected(client) && MQTTClient_connect(client, &options) != MQTTCLIENT_SUCCESS) {
      usleep(50000);
      continue;
    }
    MQTTClient_deliveryToken token;
    int rc = MQTTClient_publish(client, "vote/q", (int)strlen(argv[2]), argv[2], 1, 0, &token);
    if (rc == MQTTCLIENT_SUCCESS && MQTTClient_waitForCompletion(client, token, 1000) == MQTTCLIENT_SUCCESS) {
      MQTTClient_disconnect(client, 1000);
      return 0;
    }
  }
  return 1;
}
