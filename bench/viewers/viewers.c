// Viewers for `npm run bench:streams`: opens many event streams, and counts the events and bytes that arrive.
// One written in Node.js would cost more per event than the servers that are measured.
//
//     viewers PORT PATH COUNT [HEADER …]
//
// Prints "connected MS" once every stream has begun; then, for each line on its standard input, the totals so far:
// "events N bytes N cpu MICROSECONDS". Ends with its input.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

// Connections that are being opened at a time.
#define OPENING 64
#define CHUNK 65536

static struct sockaddr_in server;
static char request[4096];
static int request_length, epoll_fd;
static long events, bytes;
// By file descriptor: whether its stream has begun, and whether the last byte was a line feed.
static unsigned char begun[1 << 20], after_line_feed[1 << 20];

static double now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

static long cpu_us(void) {
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  return (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000L + used.ru_utime.tv_usec + used.ru_stime.tv_usec;
}

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void open_stream(void) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (fd < 0) fail("socket");
  if (connect(fd, (struct sockaddr *)&server, sizeof server) < 0 && errno != EINPROGRESS) fail("connect");
  struct epoll_event wanted = {.events = EPOLLOUT, .data.fd = fd};
  if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &wanted) < 0) fail("epoll_ctl");
}

static void send_request(int fd) {
  if (send(fd, request, request_length, MSG_NOSIGNAL) != request_length) fail("send");
  struct epoll_event wanted = {.events = EPOLLIN, .data.fd = fd};
  epoll_ctl(epoll_fd, EPOLL_CTL_MOD, fd, &wanted);
}

// An event ends with an empty line.
static void count(int fd, const char *data, int length) {
  int line_feed = after_line_feed[fd];
  for (int i = 0; i < length; i++) {
    int is = data[i] == '\n';
    events += is && line_feed;
    line_feed = is;
  }
  after_line_feed[fd] = line_feed;
  bytes += length;
}

int main(int argc, char **argv) {
  if (argc < 4) return fprintf(stderr, "viewers PORT PATH COUNT [HEADER ...]\n"), 2;
  signal(SIGPIPE, SIG_IGN);
  server.sin_family = AF_INET;
  server.sin_port = htons(atoi(argv[1]));
  server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int wanted = atoi(argv[3]), opened = 0, streams = 0;
  request_length = sprintf(request, "GET %.2000s HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n", argv[2]);
  for (int i = 4; i < argc; i++) request_length += sprintf(request + request_length, "%.200s\r\n", argv[i]);
  request_length += sprintf(request + request_length, "\r\n");
  epoll_fd = epoll_create1(0);
  struct epoll_event input = {.events = EPOLLIN, .data.fd = 0};
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, 0, &input);
  double start = now_ms();
  while (opened < wanted && opened < OPENING) open_stream(), opened++;
  static char data[CHUNK];
  struct epoll_event ready[256];
  for (;;) {
    int n = epoll_wait(epoll_fd, ready, 256, -1);
    for (int i = 0; i < n; i++) {
      int fd = ready[i].data.fd;
      if (fd == 0) {
        if (read(0, data, CHUNK) <= 0) return 0;
        printf("events %ld bytes %ld cpu %ld\n", events, bytes, cpu_us());
        fflush(stdout);
      } else if (ready[i].events & EPOLLOUT) {
        send_request(fd);
      } else {
        int length = read(fd, data, CHUNK);
        if (length < 0 && errno == EAGAIN) continue;
        if (length <= 0) return fprintf(stderr, "a stream ended\n"), 1;
        if (!begun[fd]) {
          if (length < 12 || memcmp(data + 9, "200", 3)) return fprintf(stderr, "refused: %.200s\n", data), 1;
          begun[fd] = 1;
          if (opened < wanted) open_stream(), opened++;
          if (++streams == wanted) {
            printf("connected %.0f\n", now_ms() - start);
            fflush(stdout);
          }
        }
        count(fd, data, length);
      }
    }
  }
}
