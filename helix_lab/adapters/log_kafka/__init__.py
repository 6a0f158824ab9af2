"""The event log on Kafka: CloudEvents on the guide's topics, and a local copy that answers reads.

Writes go to Kafka with all acknowledgements; one thread follows the topics and keeps a copy in
a SQLite file, by which events are found by id and by key. See docs/decisions/0020-log-on-kafka.md.
"""

from helix_lab.adapters.log_kafka.group import KafkaGroupMember
from helix_lab.adapters.log_kafka.log import KafkaEventLog

__all__ = ["KafkaEventLog", "KafkaGroupMember"]
