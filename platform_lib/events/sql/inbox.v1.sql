-- platform_inbox, version 1: the messages that a consumer has already handled.
CREATE TABLE platform_inbox (
    merchant_id text        NOT NULL,
    consumer    text        NOT NULL,
    source      text        NOT NULL,
    event_id    text        NOT NULL,
    accepted_at timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, consumer, source, event_id)
);

CREATE INDEX platform_inbox_accepted_at ON platform_inbox (accepted_at);
