// name: drop_merged
// asks: forget what these entities show as
// params: ids list of text
// returns: nothing
UNWIND $ids AS merged
MATCH (m:MergedEntity {id: merged})
DELETE m
