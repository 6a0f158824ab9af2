// name: add_users
// asks: keep users; those that are here stay
// params: rows of id text
// returns: nothing
UNWIND $rows AS row
MERGE (:User {id: row.id})
