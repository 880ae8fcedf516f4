-- name: add_to_outbox
-- Store one event beside the change it tells of.
INSERT INTO platform_outbox (merchant_id, id, type, source, subject, time, data, traceparent)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: lock_outbox_batch
-- Lock the oldest waiting event of each of up to $2 aggregates that no other relay holds.
SELECT waiting.merchant_id, waiting.id, waiting.type, waiting.source, waiting.subject, waiting.time,
       waiting.data, waiting.traceparent, waiting.attempts
FROM platform_outbox AS waiting
WHERE waiting.published_at IS NULL
  AND waiting.parked_at IS NULL
  AND (waiting.retry_at IS NULL OR waiting.retry_at <= $1)
  -- A table that is empty most of the time has statistics that say so, and after an outage they are wrong by a
  -- hundred thousand rows. OFFSET 0 forbids a join, and COALESCE matches one index only: whatever the planner
  -- believes, each row costs one look into platform_outbox_waiting_by_subject.
  AND NOT EXISTS (
      SELECT FROM platform_outbox AS earlier
      WHERE earlier.merchant_id = waiting.merchant_id
        AND earlier.subject = waiting.subject
        AND earlier.sequence < waiting.sequence
        AND COALESCE(earlier.published_at, earlier.parked_at) IS NULL
      OFFSET 0
  )
ORDER BY waiting.sequence
LIMIT $2
FOR UPDATE OF waiting SKIP LOCKED;

-- name: mark_outbox_published
-- Mark a batch of events as stored by the broker.
UPDATE platform_outbox AS waiting
SET published_at = $3, attempts = waiting.attempts + 1, last_error = NULL
FROM unnest($1::text[], $2::uuid[]) AS sent (merchant_id, id)
WHERE waiting.merchant_id = sent.merchant_id AND waiting.id = sent.id;

-- name: mark_outbox_rejected
-- Note that the broker cannot take an event: try again at $4, or park it at $5.
UPDATE platform_outbox
SET attempts = attempts + 1, last_error = $3, retry_at = $4, parked_at = $5
WHERE merchant_id = $1 AND id = $2;

-- name: release_parked
-- Let a parked event try again from the start.
UPDATE platform_outbox
SET parked_at = NULL, retry_at = NULL, attempts = 0
WHERE merchant_id = $1 AND id = $2 AND parked_at IS NOT NULL;

-- name: measure_outbox
-- Count what waits and what is parked, and date the oldest that waits.
SELECT (SELECT count(*) FROM platform_outbox WHERE published_at IS NULL AND parked_at IS NULL) AS waiting,
       (SELECT count(*) FROM platform_outbox WHERE parked_at IS NOT NULL) AS parked,
       (SELECT min(time) FROM platform_outbox WHERE published_at IS NULL AND parked_at IS NULL) AS oldest;

-- name: sample_outbox
-- Count what waits and what is parked, up to 10000 each, and date the first that waits; cheap at any length.
SELECT (SELECT count(*) FROM (
            SELECT FROM platform_outbox WHERE published_at IS NULL AND parked_at IS NULL LIMIT 10000
        ) AS some_waiting) AS waiting,
       (SELECT count(*) FROM (
            SELECT FROM platform_outbox WHERE parked_at IS NOT NULL LIMIT 10000
        ) AS some_parked) AS parked,
       (SELECT time FROM platform_outbox
        WHERE published_at IS NULL AND parked_at IS NULL ORDER BY sequence LIMIT 1) AS oldest;

-- name: purge_outbox
-- Delete up to $2 events that were published before $1.
DELETE FROM platform_outbox
WHERE (merchant_id, id) IN (
    SELECT merchant_id, id FROM platform_outbox
    WHERE published_at < $1
    LIMIT $2
    FOR UPDATE SKIP LOCKED
);

-- name: accept_into_inbox
-- Note that a consumer handles a message, unless it did before.
INSERT INTO platform_inbox (merchant_id, consumer, source, event_id, accepted_at)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (merchant_id, consumer, source, event_id) DO NOTHING;

-- name: purge_inbox
-- Delete up to $2 notes of messages that were accepted before $1.
DELETE FROM platform_inbox
WHERE (merchant_id, consumer, source, event_id) IN (
    SELECT merchant_id, consumer, source, event_id FROM platform_inbox
    WHERE accepted_at < $1
    LIMIT $2
    FOR UPDATE SKIP LOCKED
);

-- name: add_dead_letter
-- Keep an event that a consumer gave up on.
INSERT INTO platform_dead_letter
    (merchant_id, consumer, source, event_id, type, subject, time, data, reason, given_up_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (merchant_id, consumer, source, event_id) DO NOTHING;

-- name: read_dead_letters
-- Read up to $2 events that a consumer gave up on, the oldest first.
SELECT * FROM platform_dead_letter WHERE consumer = $1 ORDER BY time, event_id LIMIT $2;

-- name: count_dead_letters
-- Count the events that a consumer gave up on.
SELECT count(*) AS waiting FROM platform_dead_letter WHERE consumer = $1;

-- name: remove_dead_letter
-- Forget an event that a consumer gave up on.
DELETE FROM platform_dead_letter WHERE merchant_id = $1 AND consumer = $2 AND source = $3 AND event_id = $4;
