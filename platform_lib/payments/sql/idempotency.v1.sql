-- platform_idempotency_keys, version 1: which request claimed a key, and what it was answered.
CREATE TABLE platform_idempotency_keys (
    merchant_id     text        NOT NULL,
    operation       text        NOT NULL,
    key             text        NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    fingerprint     bytea       NOT NULL CHECK (octet_length(fingerprint) = 32),
    -- claimed -> settled, once. A refused claim leaves no row: it rolls back with its transaction.
    status          text        NOT NULL DEFAULT 'claimed' CHECK (status IN ('claimed', 'settled')),
    resource_id     uuid        NOT NULL,
    response_status smallint    CHECK (response_status BETWEEN 100 AND 599),
    response_body   bytea,
    claimed_at      timestamptz NOT NULL,
    settled_at      timestamptz,
    PRIMARY KEY (merchant_id, operation, key),
    CHECK (
        (status = 'settled') = (settled_at IS NOT NULL)
        AND (status = 'settled') = (response_status IS NOT NULL)
        AND (status = 'settled') = (response_body IS NOT NULL)
    )
);

-- For purging what is older than the published window.
CREATE INDEX platform_idempotency_keys_settled_at ON platform_idempotency_keys (settled_at)
    WHERE settled_at IS NOT NULL;
