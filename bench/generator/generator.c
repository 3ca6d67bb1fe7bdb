// Sends votes over many MQTT connections, at as little cost as possible, and measures how long acknowledgements take.
//
//   generator --port N --connections N [--version 4|5] [--qos 1|2] [--connecting N] [--payloads a,b,c] [--devices FILE]
//
// It connects, prints a line of JSON, and then carries out the commands on its standard input, one a line:
//
//   topics PREFIX [N]                 votes go to the topic PREFIX, or to PREFIX0 to PREFIX<N-1>: a connection to one of them
//   saturate WINDOW SECONDS           every connection keeps up to WINDOW votes in flight; it sends when half of them are free
//   once                              every connection sends one vote
//   pace RATE SECONDS                 RATE votes a second, from all connections in turn, whether or not others were acknowledged;
//                                     latencies count from the time at which a vote was due, so a slow server hides nothing
//
// After each phase, it waits for all acknowledgements and prints a line of JSON. At any error, it prints a message and exits
// with 1. FILE has a line for each device: client id, user name and secret, separated by tabs.
#define _GNU_SOURCE
#include "histogram.h"
#include "lines.h"
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

enum { SATURATE, ONCE, PACE, MOST_PAYLOADS = 100, MOST_EVENTS = 512, STARTED_TOGETHER = 64 };

static struct {
  int port, connections, version, qos, connecting;
  const char *devices;
  char *payloads[MOST_PAYLOADS];
  int payload_count;
} options = {.version = 4, .qos = 1, .connecting = 64, .payloads = {"a", "b", "c"}, .payload_count = 3};

static struct {
  int mode, window;
  double rate;
  uint64_t start, end, last;
  uint64_t sent, acknowledged, in_time;
} phase;

static Line *lines;
static int epoll, accepted, most_in_flight = RUN;
static Table *tables;
static int table_count;
static Histogram latencies;

static void send_votes(Line *line, int count, uint64_t now) {
  long index = line - lines;
  const Table *table = &tables[index % table_count];
  // Connections begin at different packets, so that not all vote for the same option.
  uint32_t first = (line->next + index) % IDS;
  for (int i = 0; i < count; i++) {
    uint64_t *slot = &line->sent_at[((first + i) % IDS + 1) % SLOTS];
    if (*slot) fail("a packet identifier is still in use");
    // In turn, vote n of connection i is the one with the number n × connections + i.
    uint64_t number = (uint64_t)(line->sent + i) * options.connections + index;
    *slot = phase.mode == PACE ? phase.start + (uint64_t)(number * 1e9 / phase.rate) : now;
  }
  write_all(line->fd, table->bytes + (size_t)first * table->size, count * table->size);
  line->next += count;
  line->sent += count;
  line->in_flight += count;
  phase.sent += count;
}

// Sends what the connection may send now.
static void refill(Line *line, uint64_t now) {
  if (phase.mode == PACE) {
    int free = most_in_flight - line->in_flight;
    int count = (int)line->owed < free ? (int)line->owed : free;
    if (count == 0) return;
    line->owed -= count;
    send_votes(line, count, now);
  } else if (phase.mode == ONCE) {
    if (line->sent == 0) send_votes(line, 1, now);
  } else if (line->in_flight <= phase.window / 2 && now < phase.end) {
    send_votes(line, phase.window - line->in_flight, now);
  }
}

static void on_packet(Line *line, int type, const uint8_t *body, int size, uint64_t at) {
  if (type == CONNACK) {
    if (size < 2 || body[1] != 0) fail("the server refused a connection");
    int most = options.version == 5 ? receive_maximum(body, size) : RUN;
    if (most < most_in_flight) most_in_flight = most;
    accepted++;
    return;
  }
  if (type < PUBACK || type > PUBCOMP || size < 2) fail("the server sent an unexpected packet");
  if (size > 2 && body[2] >= 128) fail("the server refused a vote");
  if (type == PUBREC) {
    uint8_t release[] = {PUBREL << 4 | 2, 2, body[0], body[1]};
    write_all(line->fd, release, sizeof release);
    return;
  }
  if (type != (options.qos == 2 ? PUBCOMP : PUBACK)) fail("the server sent an unexpected packet");
  uint64_t *slot = &line->sent_at[(body[0] << 8 | body[1]) % SLOTS];
  if (!*slot) fail("the server acknowledged a vote twice, or one that was never sent");
  record(&latencies, at - *slot);
  *slot = 0;
  line->in_flight--;
  phase.acknowledged++;
  if (phase.mode != SATURATE || at < phase.end) phase.in_time++;
  phase.last = at;
}

static double cpu_us(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

// Waits for packets for at most `wait_ns`, and handles them. Returns how many connections had any.
static int handle(int64_t wait_ns) {
  static struct epoll_event events[MOST_EVENTS];
  if (wait_ns > 0) {
    struct pollfd one = {.fd = epoll, .events = POLLIN};
    struct timespec wait = {.tv_sec = wait_ns / 1000000000, .tv_nsec = wait_ns % 1000000000};
    ppoll(&one, 1, &wait, NULL);
  }
  int count = epoll_wait(epoll, events, MOST_EVENTS, 0);
  for (int i = 0; i < count; i++) {
    Line *line = &lines[events[i].data.u32];
    receive(line, on_packet);
    refill(line, now_ns());
  }
  return count;
}

static void run(void) {
  double cpu = cpu_us();
  clear(&latencies);
  for (int i = 0; i < options.connections; i++) lines[i].sent = lines[i].owed = 0;
  phase.sent = phase.acknowledged = phase.in_time = 0;
  phase.start = phase.last = now_ns();
  phase.end += phase.start;
  uint64_t due = 0, total = phase.mode == PACE ? (uint64_t)(phase.rate * (phase.end - phase.start) / 1e9) : 0;
  int started = phase.mode == PACE ? options.connections : 0;
  uint64_t heard = phase.start;
  while (started < options.connections || due < total || phase.acknowledged < phase.sent) {
    uint64_t now = now_ns();
    for (int i = 0; i < STARTED_TOGETHER && started < options.connections; i++) refill(&lines[started++], now);
    for (; due < total && phase.start + (uint64_t)(due * 1e9 / phase.rate) <= now; due++) {
      Line *line = &lines[due % options.connections];
      line->owed++;
      refill(line, now);
    }
    int64_t wait = (int64_t)LONGEST_WAIT_MS * 1000000;
    if (due < total) wait = (int64_t)(phase.start + (uint64_t)(due * 1e9 / phase.rate) - now_ns());
    if (started < options.connections) wait = 0;
    if (handle(wait) > 0 || phase.acknowledged == phase.sent) heard = now_ns();
    else if (now_ns() - heard > (uint64_t)LONGEST_WAIT_MS * 1000000) fail("the server has not acknowledged a vote for 30 s");
  }
  // At saturation, the rate is that of the time in which votes were sent; otherwise, until the last acknowledgement.
  double seconds = ((phase.mode == SATURATE ? phase.end : phase.last) - phase.start) / 1e9;
  double votes = phase.acknowledged ? phase.acknowledged : 1;
  printf("{\"acknowledged\":%lu,\"perSecond\":%.1f,\"p50Ms\":%.4f,\"p99Ms\":%.4f,\"maxMs\":%.4f,\"cpuUs\":%.3f}\n",
         (unsigned long)phase.acknowledged, phase.in_time / seconds, at_share(&latencies, 0.5) / 1e6,
         at_share(&latencies, 0.99) / 1e6, latencies.max / 1e6, (cpu_us() - cpu) / votes);
  fflush(stdout);
}

static void connect_all(void) {
  FILE *devices = options.devices ? fopen(options.devices, "r") : NULL;
  if (options.devices && !devices) fail("could not open the file of devices");
  Draft *connects = malloc(sizeof(Draft) * options.connections);
  if (!connects || !(lines = calloc(options.connections, sizeof *lines))) fail("out of memory");
  for (int i = 0; i < options.connections; i++) {
    char text[1024], client[1024] = "", user[1024] = "", secret[1024] = "";
    snprintf(client, sizeof client, "bench-%d", i);
    if (devices && !fgets(text, sizeof text, devices)) fail("the file has fewer devices than connections are wanted");
    if (devices && sscanf(text, "%1023[^\t\n]\t%1023[^\t\n]\t%1023[^\t\n]", client, user, secret) < 1) fail("a device has no id");
    connects[i] = connect_packet(options.version, client, user, secret);
  }
  if (devices) fclose(devices);
  uint64_t start = now_ns(), heard = start;
  int begun = 0, before = 0;
  while (accepted < options.connections) {
    for (; begun < options.connections && begun - accepted < options.connecting; begun++)
      lines[begun] = begin(epoll, options.port, begun, options.connections);
    struct epoll_event events[MOST_EVENTS];
    int count = epoll_wait(epoll, events, MOST_EVENTS, 1000);
    for (int i = 0; i < count; i++) {
      int index = events[i].data.u32;
      if (!(events[i].events & EPOLLOUT)) {
        receive(&lines[index], on_packet);
        continue;
      }
      if (events[i].events & (EPOLLERR | EPOLLHUP)) fail("could not connect");
      write_all(lines[index].fd, connects[index].bytes, connects[index].size);
      struct epoll_event event = {.events = EPOLLIN, .data.u32 = index};
      epoll_ctl(epoll, EPOLL_CTL_MOD, lines[index].fd, &event);
    }
    if (accepted > before) heard = now_ns();
    before = accepted;
    if (now_ns() - heard > (uint64_t)LONGEST_WAIT_MS * 1000000) fail("the server has not accepted a connection for 30 s");
  }
  free(connects);
  double seconds = (now_ns() - start) / 1e9;
  printf("{\"connections\":%d,\"seconds\":%.4f,\"perSecond\":%.1f}\n", accepted, seconds, accepted / seconds);
  fflush(stdout);
}

static void use_topics(const char *prefix, int count) {
  for (int i = 0; i < table_count; i++) free(tables[i].bytes);
  free(tables);
  table_count = count > 0 ? count : 1;
  if (!(tables = calloc(table_count, sizeof *tables))) fail("out of memory");
  for (int i = 0; i < table_count; i++) {
    char topic[300];
    snprintf(topic, sizeof topic, count > 0 ? "%s%d" : "%s", prefix, i);
    tables[i] = publish_table(options.version, options.qos, topic, options.payloads, options.payload_count);
  }
}

static void obey(const char *line) {
  char prefix[256];
  int count = 0, window;
  double rate, seconds;
  if (sscanf(line, "topics %255s %d", prefix, &count) >= 1) return use_topics(prefix, count);
  if (table_count == 0) fail("the first command must be: topics");
  phase.end = 0;
  if (sscanf(line, "saturate %d %lf", &window, &seconds) == 2) {
    if (window < 1 || window > most_in_flight) fail("the window is larger than 64 or what the server allows");
    phase.mode = SATURATE, phase.window = window, phase.end = seconds * 1e9;
  } else if (sscanf(line, "pace %lf %lf", &rate, &seconds) == 2) {
    phase.mode = PACE, phase.rate = rate, phase.end = seconds * 1e9;
  } else if (!strcmp(line, "once\n")) {
    phase.mode = ONCE;
  } else {
    fail("unknown command");
  }
  run();
}

static void read_options(int count, char **texts) {
  for (int i = 1; i + 1 < count; i += 2) {
    const char *name = texts[i];
    char *value = texts[i + 1];
    if (!strcmp(name, "--port")) options.port = atoi(value);
    else if (!strcmp(name, "--connections")) options.connections = atoi(value);
    else if (!strcmp(name, "--version")) options.version = atoi(value);
    else if (!strcmp(name, "--qos")) options.qos = atoi(value);
    else if (!strcmp(name, "--connecting")) options.connecting = atoi(value);
    else if (!strcmp(name, "--devices")) options.devices = value;
    else if (!strcmp(name, "--payloads")) {
      options.payload_count = 0;
      for (char *one = strtok(value, ","); one; one = strtok(NULL, ",")) {
        if (options.payload_count == MOST_PAYLOADS) fail("at most 100 payloads");
        options.payloads[options.payload_count++] = one;
      }
    } else fail("unknown option");
  }
  if (options.port < 1 || options.connections < 1 || options.connecting < 1 || options.payload_count < 1)
    fail("--port and --connections are required, and must not be 0");
  if ((options.version != 4 && options.version != 5) || (options.qos != 1 && options.qos != 2))
    fail("--version must be 4 or 5, and --qos 1 or 2");
}

int main(int count, char **texts) {
  read_options(count, texts);
  signal(SIGPIPE, SIG_IGN);
  // Without this, the kernel may wake the generator 50 µs after a vote is due.
  prctl(PR_SET_TIMERSLACK, 1);
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  epoll = epoll_create1(0);
  connect_all();
  char line[512];
  while (fgets(line, sizeof line, stdin)) obey(line);
  return 0;
}
