# Votes with Eclipse Paho for Python, version 1 or 2 (argv: port, choice, MQTT version: 3, 4 or 5; QoS), once, and waits for
# the acknowledgement. The library reconnects, and sends the vote again.
import sys
import paho.mqtt.client as mqtt

port, choice, version, qos = sys.argv[1:]
api = [mqtt.CallbackAPIVersion.VERSION2] if hasattr(mqtt, "CallbackAPIVersion") else []
client = mqtt.Client(*api, client_id="paho-py", protocol=int(version))
client.reconnect_delay_set(0.05, 1)
client.connect("127.0.0.1", int(port))
client.loop_start()
client.publish("vote/q", choice, qos=int(qos)).wait_for_publish()
client.disconnect()
