-- platform_outbox, version 1: events that were stored with the change they tell of, until they are published.
CREATE TABLE platform_outbox (
    merchant_id  text        NOT NULL,
    id           uuid        NOT NULL,
    -- The order of insertion. It is not the order of commit: no reader may keep a position in it.
    sequence     bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    type         text        NOT NULL,
    source       text        NOT NULL,
    subject      text        NOT NULL,
    time         timestamptz NOT NULL,
    data         jsonb       NOT NULL,
    traceparent  text,
    attempts     integer     NOT NULL DEFAULT 0,
    retry_at     timestamptz,
    last_error   text,
    -- waiting -> published, or waiting -> parked after too many attempts; neither ever changes again by itself.
    published_at timestamptz,
    parked_at    timestamptz,
    PRIMARY KEY (merchant_id, id),
    CHECK (published_at IS NULL OR parked_at IS NULL)
) WITH (autovacuum_vacuum_scale_factor = 0.02);

-- What waits, oldest first; it holds the backlog only, however large the table grows.
CREATE INDEX platform_outbox_waiting ON platform_outbox (sequence)
    WHERE published_at IS NULL AND parked_at IS NULL;

-- Whether an earlier event of the same aggregate still waits.
CREATE INDEX platform_outbox_waiting_by_subject ON platform_outbox (merchant_id, subject, sequence)
    WHERE published_at IS NULL AND parked_at IS NULL;
