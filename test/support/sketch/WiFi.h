#pragma once
#include "Arduino.h"

struct WiFiClient {};
inline struct {
  void begin(const char *, const char *) {}
} WiFi;
