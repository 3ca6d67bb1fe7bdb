/*
 * Votes with the byte patterns of two libraries for microcontrollers (argv: port, choice, library), and connects and votes again
 * until the vote is acknowledged.
 *
 * lwmqtt, by Joël Gähwiler (256dpi), also inside arduino-mqtt: QoS 1 without DUP; packet ids begin at 2, and go on over
 * connections; a command that gets no answer in time closes the connection.
 * pubsubclient, by Nick O'Leary: publishes at QoS 0 only, writes the payload byte by byte (publish_P), waits for no SUBACK. The
 * device therefore subscribes to its receipts, and votes until one arrives.
 */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static int line = -1;
static uint16_t last_id = 1;

static int put(uint8_t *to, const char *text) {
  int length = (int)strlen(text);
  to[0] = (uint8_t)(length >> 8);
  to[1] = (uint8_t)length;
  memcpy(to + 2, text, length);
  return 2 + length;
}

static int sent(const uint8_t *bytes, int length) {
  return send(line, bytes, length, MSG_NOSIGNAL) == length;
}

/* Sends a packet whose body has been written from packet[2] on. */
static int sent_packet(uint8_t *packet, uint8_t first, int body) {
  packet[0] = first;
  packet[1] = (uint8_t)body;
  return sent(packet, 2 + body);
}

/* Reads packets until one of this type has come; 0 at the end, or after the time limit of the socket. */
static int received(uint8_t type) {
  uint8_t packet[2 + 127];
  while (recv(line, packet, 2, MSG_WAITALL) == 2 && packet[1] < 128) {
    if (packet[1] > 0 && recv(line, packet + 2, packet[1], MSG_WAITALL) != packet[1]) return 0;
    if (packet[0] >> 4 == type) return 1;
  }
  return 0;
}

static int connected(int port, const char *id, uint8_t keep_alive) {
  struct timeval limit = {0, 500000};
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  line = socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(line, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  if (connect(line, (struct sockaddr *)&to, sizeof to) != 0) return 0;
  uint8_t packet[64];
  int at = 2 + put(packet + 2, "MQTT");
  packet[at++] = 4;
  packet[at++] = 2; /* clean session */
  packet[at++] = 0;
  packet[at++] = keep_alive;
  at += put(packet + at, id);
  return sent_packet(packet, 0x10, at - 2) && received(2);
}

static int voted_lwmqtt(const char *choice) {
  uint8_t packet[64];
  int at = 2 + put(packet + 2, "vote/q");
  last_id++;
  packet[at++] = (uint8_t)(last_id >> 8);
  packet[at++] = (uint8_t)last_id;
  memcpy(packet + at, choice, strlen(choice));
  return sent_packet(packet, 0x32, at - 2 + (int)strlen(choice)) && received(4);
}

static int voted_pubsubclient(const char *choice) {
  uint8_t packet[64] = {0, 0, 0, 2};
  int at = 4 + put(packet + 4, "receipt/small");
  packet[at++] = 0;
  if (!sent_packet(packet, 0x82, at - 2)) return 0;
  packet[0] = 0x30;
  at = 2 + put(packet + 2, "vote/q");
  packet[1] = (uint8_t)(at - 2 + strlen(choice));
  if (!sent(packet, at)) return 0;
  for (const char *byte = choice; *byte; byte++) {
    usleep(1000); /* so that it is a segment of its own */
    if (!sent((const uint8_t *)byte, 1)) return 0;
  }
  return received(3);
}

int main(int argc, char **argv) {
  int is_lwmqtt = strcmp(argv[3], "lwmqtt") == 0;
  for (int tries = 0; tries < 20; tries++) {
    int is_done = connected(atoi(argv[1]), "small", is_lwmqtt ? 10 : 15) &&
                  (is_lwmqtt ? voted_lwmqtt(argv[2]) : voted_pubsubclient(argv[2]));
    if (is_done) sent((const uint8_t[]){0xe0, 0}, 2);
    close(line);
    if (is_done) return 0;
    usleep(50000);
  }
  return 1;
}
