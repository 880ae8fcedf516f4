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

-- Whether an earlier event of the same aggregate still waits. The same condition in other words, so that the
-- planner cannot take one index for the other.
CREATE INDEX platform_outbox_waiting_by_subject ON platform_outbox (merchant_id, subject, sequence)
    WHERE COALESCE(published_at, parked_at) IS NULL;

-- What can be deleted, and what a person has to look at.
CREATE INDEX platform_outbox_published ON platform_outbox (published_at) WHERE published_at IS NOT NULL;
CREATE INDEX platform_outbox_parked ON platform_outbox (parked_at) WHERE parked_at IS NOT NULL;
