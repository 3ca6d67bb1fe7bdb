#pragma once
#include <map>
#include "Arduino.h"

class Preferences {
  std::map<std::string, uint32_t> values;

 public:
  void begin(const char *) {}
  uint32_t getUInt(const char *key, uint32_t fallback) { return values.count(key) ? values[key] : fallback; }
  void putUInt(const char *key, uint32_t value) { values[key] = value; }
};
