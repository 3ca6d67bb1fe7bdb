// What a sketch needs of Arduino, on a computer: a button is pressed once for each character of argv[2].
#pragma once
#include <cstdint>
#include <cstdlib>
#include <string>
#include <unistd.h>

enum { LOW = 0, HIGH = 1, INPUT_PULLUP = 2 };
inline std::string presses;
inline void pinMode(int, int) {}
inline long random(long from, long) { return from / 10; }
inline void delay(unsigned long ms) { usleep(ms * 100); }
/** The buttons 25, 26 and 27 are the choices a, b and c. */
inline int digitalRead(int pin) {
  if (presses.empty() || presses[0] != 'a' + pin - 25) return HIGH;
  presses.erase(0, 1);
  return LOW;
}
