/** What the row of a turn counts, with its prompt: it changes often, and has some hundred bytes. */
export const TURN_BYTES = 512;

/**
 * Counts anew how many bytes each principal has stored: `bytes <owner>` in `meta`, the person's without an owner. For a store that
 * never counted, or that was copied row by row.
 */
export const RECOUNT = `
  DELETE FROM meta WHERE name >= 'bytes ' AND name < 'bytes!';
  INSERT INTO meta (name, value) SELECT 'bytes ' || coalesce(owner, ''), sum(bytes) FROM (
    SELECT id AS session, octet_length(body) AS bytes FROM sessions
    UNION ALL SELECT session, sum(octet_length(body)) FROM messages GROUP BY session
    UNION ALL SELECT session, sum(octet_length(body) + 512) FROM prompts GROUP BY session
    UNION ALL SELECT session, sum(octet_length(body)) FROM prompt_parts GROUP BY session
    UNION ALL SELECT session, sum(octet_length(body)) FROM requests GROUP BY session
    UNION ALL SELECT session, sum(bytes) FROM segments GROUP BY session
  ) LEFT JOIN sessions ON id = session GROUP BY 1;
  INSERT OR REPLACE INTO meta (name, value) SELECT 'counted_no', coalesce(max(no), 0) FROM segments;
  INSERT OR REPLACE INTO meta (name, value) SELECT 'counted_prompt', coalesce(max(no), 0) FROM prompts;
`;

/**
 * Steps from an empty database to the present one. `PRAGMA user_version` counts how many have been taken; a step that was
 * ever released is never changed, a new one is added.
 *
 * Ids are chosen by peers, so they are stored as JSON text like everything else of theirs: SQLite cuts a bound string at
 * its first NUL, and writes a lone surrogate as another character.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE sessions (
    id TEXT PRIMARY KEY, updated_at INTEGER NOT NULL, body TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX sessions_by_update ON sessions (updated_at);

  -- Frames are joined by newlines: JSON text holds none.
  CREATE TABLE segments (
    no INTEGER PRIMARY KEY,
    session TEXT NOT NULL, first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL, epoch INTEGER NOT NULL,
    bytes INTEGER NOT NULL, created_at INTEGER NOT NULL, frames TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX segments_in_order ON segments (session, first_seq, last_seq, epoch, bytes, created_at);

  -- AUTOINCREMENT: the search index keeps these numbers, so one must never come back as another message.
  CREATE TABLE messages (
    no INTEGER PRIMARY KEY AUTOINCREMENT,
    session TEXT NOT NULL, id TEXT NOT NULL, role TEXT NOT NULL, body TEXT NOT NULL,
    UNIQUE (session, id)
  ) STRICT;
  CREATE INDEX messages_in_order ON messages (session, no);

  -- Holds the index only; snippets are cut from the messages themselves. Four row ids a message, one for each kind of text.
  CREATE VIRTUAL TABLE message_search USING fts5 (
    text, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2'
  );

  CREATE TABLE turns (
    session TEXT NOT NULL, id TEXT NOT NULL, ordinal INTEGER NOT NULL, state TEXT NOT NULL, ended_at INTEGER,
    body TEXT NOT NULL,
    PRIMARY KEY (session, id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX turns_in_order ON turns (session, ordinal);
  CREATE INDEX turns_open ON turns (session, ordinal) WHERE ended_at IS NULL;

  CREATE TABLE requests (
    no INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, session TEXT NOT NULL, resolved_at INTEGER, body TEXT NOT NULL
  ) STRICT;
  CREATE INDEX requests_pending ON requests (session, no) WHERE resolved_at IS NULL;

  CREATE TABLE agent_processes (pid INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;
  `,
  `
  CREATE TABLE mailboxes (
    address TEXT PRIMARY KEY, low_water INTEGER NOT NULL, acked TEXT NOT NULL, last_position INTEGER NOT NULL,
    waiting_bytes INTEGER NOT NULL, body TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- Entries are joined by newlines: JSON text holds none.
  CREATE TABLE mailbox_segments (
    no INTEGER PRIMARY KEY,
    address TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, bytes INTEGER NOT NULL,
    created_at INTEGER NOT NULL, entries TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX mailbox_segments_in_order ON mailbox_segments (address, last);

  CREATE TABLE mailbox_streams (
    address TEXT NOT NULL, stream TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (address, stream)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE relay_facts (
    scope TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (scope, name)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- Id of the configured key that a session belongs to; NULL is the person's own, as all were before.
  ALTER TABLE sessions ADD COLUMN owner TEXT;
  CREATE INDEX sessions_of_owner ON sessions (owner, updated_at) WHERE owner IS NOT NULL;
  `,
  `
  -- Rows of segments by session, a run of them at a time; the rows behind the number in meta are in none yet (journal-index.ts).
  CREATE TABLE segment_runs (
    session TEXT NOT NULL, first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL, nos TEXT NOT NULL,
    PRIMARY KEY (session, first_seq)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO segment_runs
    SELECT session, min(first_seq), max(last_seq), json_group_array(no ORDER BY first_seq) FROM (
      SELECT *, (row_number() OVER (PARTITION BY session ORDER BY first_seq) - 1) / 1024 AS run FROM segments
    ) GROUP BY session, run;
  INSERT INTO meta (name, value) SELECT 'indexed_no', coalesce(max(no), 0) FROM segments;
  DROP INDEX segments_in_order;
  `,
  `
  -- Where the segments of mailboxes lie, some hundreds at a time; the rows behind the number in meta are not in it yet (mailbox-index.ts).
  CREATE TABLE mailbox_index (
    address TEXT NOT NULL, last INTEGER NOT NULL, no INTEGER NOT NULL, PRIMARY KEY (address, last, no)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO mailbox_index SELECT address, last, no FROM mailbox_segments;
  INSERT INTO meta (name, value) SELECT 'mailbox_indexed_no', coalesce(max(no), 0) FROM mailbox_segments;
  DROP INDEX mailbox_segments_in_order;
  `,
  `
  -- The search index is a file of its own (search/); here is only which messages it has still to look at. Triggers write
  -- that down, so that no statement can forget it.
  DROP TABLE message_search;
  CREATE TABLE message_changes (seq INTEGER PRIMARY KEY, no INTEGER NOT NULL, session TEXT NOT NULL) STRICT;
  CREATE TRIGGER message_added AFTER INSERT ON messages BEGIN
    INSERT INTO message_changes (no, session) VALUES (new.no, new.session);
  END;
  CREATE TRIGGER message_changed AFTER UPDATE ON messages BEGIN
    INSERT INTO message_changes (no, session) VALUES (new.no, new.session);
  END;
  CREATE TRIGGER message_removed AFTER DELETE ON messages BEGIN
    INSERT INTO message_changes (no, session) VALUES (old.no, old.session);
  END;
  -- Tells an index whose messages these are.
  INSERT INTO meta (name, value) SELECT 'messages_id', abs(random() / 2048);
  `,
  `
  -- Prompts by themselves: the row of a turn changes with its state, and is read at a start; a prompt may have 16 MiB.
  CREATE TABLE prompts (
    no INTEGER PRIMARY KEY, session TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, UNIQUE (session, id)
  ) STRICT;
  INSERT INTO prompts (session, id, body) SELECT session, id, json_extract(body, '$.body') FROM turns
    WHERE json_extract(body, '$.body') IS NOT NULL;
  UPDATE turns SET body = json_set(
    json_remove(body, '$.body'), '$.promptBytes', coalesce(octet_length(json_extract(body, '$.body')), 0));
  `,
  `
  -- 1: a session whose messages are still being copied; no read finds it.
  ALTER TABLE sessions ADD COLUMN draft INTEGER;
  CREATE INDEX session_drafts ON sessions (id) WHERE draft IS NOT NULL;
  `,
  `
  -- Large prompts, which are stored while others are served: parts without a turn are what a daemon had begun when it ended.
  CREATE TABLE prompt_parts (
    no INTEGER PRIMARY KEY, session TEXT NOT NULL, id TEXT NOT NULL, part INTEGER NOT NULL, body BLOB NOT NULL,
    UNIQUE (session, id, part)
  ) STRICT;
  `,
  `
  -- A session is deleted with its requests, resolved or not.
  CREATE INDEX requests_of_session ON requests (session);
  CREATE INDEX sessions_archived ON sessions (json_extract(body, '$.archivedAt'))
    WHERE json_extract(body, '$.archivedAt') IS NOT NULL;
  -- The index of an owner has to forget messages of a session whose row is gone.
  ALTER TABLE message_changes ADD COLUMN owner TEXT;
  DROP TRIGGER message_removed;
  CREATE TRIGGER message_removed AFTER DELETE ON messages BEGIN
    INSERT INTO message_changes (no, session, owner)
      VALUES (old.no, old.session, (SELECT owner FROM sessions WHERE id = old.session));
  END;
  `,
  `
  -- What a transaction changed beside its segments, in bytes by owner: the last one states it (sqlite-bytes.ts).
  ALTER TABLE segments ADD COLUMN uncounted TEXT;
  ${RECOUNT}
  `,
  `
  -- From here on the lines of a segment need not be frames (journal/entry-frames.ts): a daemon that takes them for frames must refuse
  -- the file. Nothing is rewritten.
  SELECT 1;
  `,
];
