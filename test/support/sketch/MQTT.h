// The interface of the library "MQTT" by Joël Gähwiler that sketches use, over sockets. Like the library, it waits for each
// acknowledgement, and closes the connection if that fails.
#pragma once
#include <arpa/inet.h>
#include <cstring>
#include <sys/socket.h>
#include <sys/time.h>
#include "WiFi.h"

inline int port;

class MQTTClient {
  int line = -1;
  uint16_t last = 0;

  static std::string text(const std::string &s) { return std::string{char(s.size() >> 8), char(s.size())} + s; }

  bool send(char type, const std::string &body) {
    std::string packet = std::string{type, char(body.size())} + body;
    return ::send(line, packet.data(), packet.size(), MSG_NOSIGNAL) == ssize_t(packet.size());
  }

  /** Waits for a packet of this type, which has four bytes. */
  bool expect(uint8_t type) {
    uint8_t packet[4];
    return recv(line, packet, 4, MSG_WAITALL) == 4 && packet[0] == type && packet[1] == 2;
  }

  bool close() {
    ::close(line);
    line = -1;
    return false;
  }

 public:
  MQTTClient(int) {}
  void begin(const char *, WiFiClient &) {}
  bool loop() { return connected(); }
  bool connected() { return line >= 0; }

  bool connect(const char *id, const char *user, const char *password) {
    line = socket(AF_INET, SOCK_STREAM, 0);
    timeval limit{2, 0};
    setsockopt(line, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(line, reinterpret_cast<sockaddr *>(&to), sizeof to) != 0) return close();
    std::string body = text("MQTT") + std::string{4, char(0xc2), 0, 10} + text(id) + text(user) + text(password);
    return (send(0x10, body) && expect(0x20)) || close();
  }

  bool publish(const char *topic, const char *payload, bool, int) {
    if (!connected()) return false;
    last++;
    std::string body = text(topic) + std::string{char(last >> 8), char(last)} + payload;
    return (send(0x32, body) && expect(0x40)) || close();
  }
};
