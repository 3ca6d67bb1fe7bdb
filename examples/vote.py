# Sends one vote and waits for its acknowledgement. Needs the package paho-mqtt.
import paho.mqtt.client as mqtt

client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="laptop-7")
client.connect("127.0.0.1", 1883)
client.loop_start()
client.publish("vote/demo", "b", qos=1).wait_for_publish()   # returns once the vote is on the disk
client.disconnect()
