-- platform_dead_letter, version 1: events that a consumer gave up on, until a person has mended the cause.
CREATE TABLE platform_dead_letter (
    merchant_id text        NOT NULL,
    consumer    text        NOT NULL,
    source      text        NOT NULL,
    event_id    uuid        NOT NULL,
    type        text        NOT NULL,
    subject     text        NOT NULL,
    time        timestamptz NOT NULL,
    data        jsonb       NOT NULL,
    reason      text        NOT NULL,
    given_up_at timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, consumer, source, event_id)
);
