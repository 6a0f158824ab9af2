// Keys and indexes of the graph on Neo4j; each is made once.
CREATE CONSTRAINT helix_entity IF NOT EXISTS FOR (n:Entity) REQUIRE n.id IS UNIQUE;
CREATE CONSTRAINT helix_conversation IF NOT EXISTS FOR (n:Conversation) REQUIRE n.id IS UNIQUE;
CREATE CONSTRAINT helix_user IF NOT EXISTS FOR (n:User) REQUIRE n.id IS UNIQUE;
CREATE CONSTRAINT helix_message IF NOT EXISTS FOR (n:Message) REQUIRE n.id IS UNIQUE;
CREATE CONSTRAINT helix_merge IF NOT EXISTS FOR (n:Merge) REQUIRE n.id IS UNIQUE;
CREATE CONSTRAINT helix_merged IF NOT EXISTS FOR (n:MergedEntity) REQUIRE n.id IS UNIQUE;
CREATE CONSTRAINT helix_checkpoint IF NOT EXISTS FOR (n:HelixCheckpoint) REQUIRE n.id IS UNIQUE;
CREATE INDEX helix_entity_key IF NOT EXISTS FOR (n:Entity) ON (n.key);
CREATE INDEX helix_entity_name IF NOT EXISTS FOR (n:Entity) ON (n.name);
CREATE INDEX helix_entity_type IF NOT EXISTS FOR (n:Entity) ON (n.type);
