# Sends one vote and waits for its acknowledgement. Needs the package paho-mqtt; version 2 is recommended.
import paho.mqtt.client as mqtt

version = [mqtt.CallbackAPIVersion.VERSION2] if hasattr(mqtt, "CallbackAPIVersion") else []   # only in version 2
client = mqtt.Client(*version, client_id="laptop-7")
client.connect("127.0.0.1", 1883)
client.loop_start()                                          # reconnects, and sends the vote again, if need be
client.publish("vote/demo", "b", qos=1).wait_for_publish()   # returns once the vote is on the disk
client.disconnect()
