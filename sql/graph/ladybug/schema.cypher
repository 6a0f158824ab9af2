// The tables of the graph on Ladybug. Changed, they are made anew and filled from the log.
CREATE NODE TABLE Entity(
    id STRING PRIMARY KEY, name STRING, key STRING, type STRING, aliases STRING[], keys STRING[],
    named_at STRING, mention_count INT64, message_count INT64, confidence DOUBLE,
    created_at STRING, updated_at STRING
);
CREATE NODE TABLE Conversation(id STRING PRIMARY KEY, title STRING, started_at STRING);
CREATE NODE TABLE User(id STRING PRIMARY KEY);
CREATE NODE TABLE Message(
    id STRING PRIMARY KEY, conversation_id STRING, time STRING, facts STRING, has_claims BOOL
);
CREATE NODE TABLE Merge(
    id STRING PRIMARY KEY, clock INT64, source STRING, target STRING, is_undone BOOL
);
CREATE NODE TABLE MergedEntity(id STRING PRIMARY KEY, entity_id STRING);
CREATE REL TABLE RELATED_TO(
    FROM Entity TO Entity, type STRING, strength DOUBLE, weight DOUBLE, support INT64,
    valid_from STRING, valid_to STRING, last_at STRING
);
CREATE REL TABLE CO_OCCURS_WITH(
    FROM Entity TO Entity, frequency INT64, first_at STRING, last_at STRING
);
CREATE REL TABLE MENTIONED_IN(
    FROM Entity TO Conversation, count INT64, first_at STRING, last_at STRING
);
CREATE REL TABLE MENTIONS(FROM Message TO Entity, count INT64);
CREATE REL TABLE STARTED(FROM User TO Conversation);
CREATE ART INDEX entity_key FOR (e:Entity) ON (e.key);
