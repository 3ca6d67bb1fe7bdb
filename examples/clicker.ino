// A clicker with three buttons for an ESP32. Library: "MQTT" by Joël Gähwiler, which supports QoS 1.
#include <WiFi.h>
#include <MQTT.h>

WiFiClient net;
MQTTClient client(128);
const int BUTTONS[] = {25, 26, 27};

void setup() {
  for (int pin : BUTTONS) pinMode(pin, INPUT_PULLUP);
  WiFi.begin("hall", "password");
  client.begin("192.168.1.10", net);
}

void loop() {
  client.loop();
  if (!client.connected()) {
    delay(random(500, 3000));                        // so that clickers do not all reconnect at once
    client.connect("clicker-17", "clicker-17", "its-secret");
    return;
  }
  for (int i = 0; i < 3; i++) {
    if (digitalRead(BUTTONS[i]) != LOW) continue;
    char choice[] = {char('a' + i), 0};
    while (!client.publish("vote/room/hall", choice, false, 1)) delay(200);   // true: acknowledged
    delay(300);
  }
}
