/*
 * Votes with Eclipse Paho C (argv: port, choice, version: 3, 4 or 5), and connects and publishes again until the vote is
 * acknowledged.
 */
#include <MQTTClient.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int version;

static int is_connected_again(MQTTClient client) {
  if (version == MQTTVERSION_5) {
    MQTTClient_connectOptions options = MQTTClient_connectOptions_initializer5;
    MQTTResponse response = MQTTClient_connect5(client, &options, NULL, NULL);
    int is_connected = response.reasonCode == MQTTREASONCODE_SUCCESS;
    MQTTResponse_free(response);
    return is_connected;
  }
  MQTTClient_connectOptions options = MQTTClient_connectOptions_initializer;
  options.cleansession = 1;
  options.MQTTVersion = version;
  return MQTTClient_connect(client, &options) == MQTTCLIENT_SUCCESS;
}

static int is_published(MQTTClient client, char *choice, MQTTClient_deliveryToken *token) {
  int length = (int)strlen(choice);
  if (version != MQTTVERSION_5)
    return MQTTClient_publish(client, "vote/q", length, choice, 1, 0, token) == MQTTCLIENT_SUCCESS;
  MQTTResponse response = MQTTClient_publish5(client, "vote/q", length, choice, 1, 0, NULL, token);
  int is_sent = response.reasonCode == MQTTREASONCODE_SUCCESS;
  MQTTResponse_free(response);
  return is_sent;
}

int main(int argc, char **argv) {
  char url[64];
  snprintf(url, sizeof url, "tcp://127.0.0.1:%s", argv[1]);
  version = atoi(argv[3]);
  MQTTClient client;
  MQTTClient_createOptions options = MQTTClient_createOptions_initializer;
  options.MQTTVersion = version;
  MQTTClient_createWithOptions(&client, url, "paho-c", MQTTCLIENT_PERSISTENCE_NONE, NULL, &options);
  for (int tries = 0; tries < 20; tries++) {
    if (!MQTTClient_isConnected(client) && !is_connected_again(client)) {
      usleep(50000);
      continue;
    }
    MQTTClient_deliveryToken token;
    if (is_published(client, argv[2], &token) && MQTTClient_waitForCompletion(client, token, 1000) == MQTTCLIENT_SUCCESS) {
      MQTTClient_disconnect(client, 1000);
      return 0;
    }
  }
  return 1;
}
