// The connections of the generator.
#pragma once
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "packets.h"

enum {
  SLOTS = 128,              // send times kept for each connection, by packet identifier
  PER_ADDRESS = 28000,      // connections from one source address: the kernel has about this many ports for each
  LONGEST_WAIT_MS = 30000,  // for anything from the server
  REST = 512,               // the longest packet that may arrive in pieces
};

typedef struct {
  int fd;
  int rest_size;
  uint8_t *rest;      // the beginning of a packet that has not arrived completely; NULL until there is one
  uint64_t *sent_at;  // ns, by packet identifier; 0 if none is in flight
  uint32_t next;      // the number of votes sent, which decides the next packet
  uint32_t sent;      // in this phase
  uint32_t owed;      // scheduled in this phase, but not sent, as too many are in flight
  uint16_t in_flight;
} Line;

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

// Writes everything. The socket's buffer holds all that may be in flight, so this waits only if the server stops reading.
static void write_all(int fd, const uint8_t *bytes, int size) {
  while (size > 0) {
    ssize_t written = write(fd, bytes, size);
    if (written < 0 && errno == EAGAIN) {
      struct pollfd one = {.fd = fd, .events = POLLOUT};
      if (poll(&one, 1, LONGEST_WAIT_MS) <= 0) fail("the server has stopped reading");
      continue;
    }
    if (written < 0) fail("the server closed a connection");
    bytes += written;
    size -= written;
  }
}

// Begins to connect. The socket becomes writable when it is connected.
static Line begin(int epoll, int port, int index, int total) {
  Line line = {.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), .sent_at = calloc(SLOTS, sizeof(uint64_t))};
  if (line.fd < 0) fail("too many open files; raise the limit (ulimit -n)");
  if (!line.sent_at) fail("out of memory");
  int one = 1;
  setsockopt(line.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (total > PER_ADDRESS) {
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000002 + index / PER_ADDRESS)};
    setsockopt(line.fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    if (bind(line.fd, (struct sockaddr *)&from, sizeof from)) fail("could not bind a source address");
  }
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (connect(line.fd, (struct sockaddr *)&to, sizeof to) && errno != EINPROGRESS) fail("could not connect");
  struct epoll_event event = {.events = EPOLLOUT, .data.u32 = index};
  epoll_ctl(epoll, EPOLL_CTL_ADD, line.fd, &event);
  return line;
}

typedef void (*OnPacket)(Line *line, int type, const uint8_t *body, int size, uint64_t at);

// Reads what has arrived, and passes on every whole packet.
static void receive(Line *line, OnPacket on_packet) {
  static uint8_t buffer[REST + 65536];
  if (line->rest_size > 0) memcpy(buffer, line->rest, line->rest_size);
  ssize_t got = read(line->fd, buffer + line->rest_size, sizeof buffer - REST);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) fail("the server closed a connection");
  int end = line->rest_size + got, at = 0, header = 0, size;
  uint64_t time = now_ns();
  while ((size = packet_size(buffer + at, end - at, &header)) > 0 && at + size <= end) {
    on_packet(line, buffer[at] >> 4, buffer + at + header, size - header, time);
    at += size;
  }
  line->rest_size = end - at;
  if (line->rest_size == 0) return;
  if (line->rest_size > REST) fail("the server sent a packet that is too long");
  if (!line->rest && !(line->rest = malloc(REST))) fail("out of memory");
  memcpy(line->rest, buffer + at, line->rest_size);
}
