// MQTT packets. Those that are sent often are encoded once, one after the other, and sent as they lie in memory.
#pragma once
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  CONNECT = 1, CONNACK = 2, PUBLISH = 3, PUBACK = 4, PUBREC = 5, PUBREL = 6, PUBCOMP = 7,
  IDS = 1024,  // packet identifiers 1 to IDS are used in turn
  RUN = 64,    // the most packets in one write, and so the most in flight on a connection
};

static void fail(const char *message) {
  fprintf(stderr, "%s\n", message);
  exit(1);
}

// An open-ended packet that is being encoded.
typedef struct {
  uint8_t bytes[2048];
  int size;
} Draft;

static void add(Draft *draft, const void *bytes, int size) {
  if (draft->size + size > (int)sizeof draft->bytes) fail("a topic, name or secret is too long");
  memcpy(draft->bytes + draft->size, bytes, size);
  draft->size += size;
}

static void add_byte(Draft *draft, int value) {
  uint8_t byte = value;
  add(draft, &byte, 1);
}

static void add_number(Draft *draft, int value) {
  add_byte(draft, value >> 8);
  add_byte(draft, value & 255);
}

static void add_text(Draft *draft, const char *text) {
  add_number(draft, strlen(text));
  add(draft, text, strlen(text));
}

// A whole packet: the first byte, the length of the body, and the body.
static Draft packet(int first, const Draft *body) {
  Draft whole = {.size = 0};
  add_byte(&whole, first);
  int rest = body->size;
  do {
    add_byte(&whole, (rest & 127) | (rest > 127 ? 128 : 0));
    rest >>= 7;
  } while (rest > 0);
  add(&whole, body->bytes, body->size);
  return whole;
}

// A CONNECT with a clean session and no keep-alive. `user` and `secret` may be empty.
static Draft connect_packet(int version, const char *client, const char *user, const char *secret) {
  Draft body = {.size = 0};
  add_text(&body, "MQTT");
  add_byte(&body, version);
  add_byte(&body, 2 | (*user ? 128 : 0) | (*secret ? 64 : 0));
  add_number(&body, 0);
  if (version == 5) add_byte(&body, 0);
  add_text(&body, client);
  if (*user) add_text(&body, user);
  if (*secret) add_text(&body, secret);
  return packet(CONNECT << 4, &body);
}

// The PUBLISH packets of a topic, one for each identifier; the first RUN are repeated, so that any RUN of them are contiguous.
typedef struct {
  uint8_t *bytes;
  int size;  // of one packet
} Table;

static Table publish_table(int version, int qos, const char *topic, char **payloads, int count) {
  Table table = {.bytes = NULL};
  for (int i = 0; i < IDS + RUN; i++) {
    Draft body = {.size = 0};
    const char *payload = payloads[i % IDS % count];
    add_text(&body, topic);
    add_number(&body, i % IDS + 1);
    if (version == 5) add_byte(&body, 0);
    add(&body, payload, strlen(payload));
    Draft whole = packet(PUBLISH << 4 | qos << 1, &body);
    if (!table.bytes) table = (Table){.bytes = malloc((size_t)whole.size * (IDS + RUN)), .size = whole.size};
    if (!table.bytes) fail("out of memory");
    if (whole.size != table.size) fail("all payloads must have the same length");
    memcpy(table.bytes + (size_t)i * table.size, whole.bytes, whole.size);
  }
  return table;
}

// The size of the packet at the beginning of `bytes`; 0 if that cannot be known yet. `*header` is where its body begins.
static int packet_size(const uint8_t *bytes, int size, int *header) {
  int length = 0;
  for (int i = 1; i < size && i <= 4; i++) {
    length |= (bytes[i] & 127) << (7 * (i - 1));
    if (bytes[i] & 128) continue;
    *header = i + 1;
    return i + 1 + length;
  }
  return 0;
}

// The Receive Maximum in the body of an MQTT 5 CONNACK: how many QoS 1 and 2 packets may be in flight.
static int receive_maximum(const uint8_t *body, int size) {
  int at = 2;
  while (at < size && body[at] & 128) at++;
  for (at++; at + 2 < size;) {
    int id = body[at++];
    if (id == 0x21) return body[at] << 8 | body[at + 1];
    if (id == 0x11 || id == 0x27) at += 4;
    else if (id == 0x13 || id == 0x22) at += 2;
    else if (id == 0x24 || id == 0x25 || (id >= 0x28 && id <= 0x2a)) at += 1;
    else for (int texts = id == 0x26 ? 2 : 1; texts > 0 && at + 1 < size; texts--) at += 2 + (body[at] << 8 | body[at + 1]);
  }
  return 65535;
}
