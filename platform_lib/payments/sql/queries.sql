-- name: claim_key
-- Take the key, unless a committed transaction has it; wait for one that is not committed yet.
INSERT INTO platform_idempotency_keys (merchant_id, operation, key, fingerprint, resource_id, claimed_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (merchant_id, operation, key) DO NOTHING;

-- name: find_key
-- Read what the first request with this key was, and what it was answered.
SELECT fingerprint, status, resource_id, response_status, response_body
FROM platform_idempotency_keys
WHERE merchant_id = $1 AND operation = $2 AND key = $3;

-- name: settle_key
-- Store the answer, unless there is one already.
UPDATE platform_idempotency_keys
SET status = 'settled', response_status = $4, response_body = $5, settled_at = $6
WHERE merchant_id = $1 AND operation = $2 AND key = $3 AND status = 'claimed';

-- name: purge_keys
-- Delete up to $2 keys that were settled before $1.
DELETE FROM platform_idempotency_keys
WHERE (merchant_id, operation, key) IN (
    SELECT merchant_id, operation, key FROM platform_idempotency_keys
    WHERE settled_at < $1
    LIMIT $2
    FOR UPDATE SKIP LOCKED
);
