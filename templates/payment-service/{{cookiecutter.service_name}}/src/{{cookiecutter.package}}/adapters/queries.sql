-- Every statement that the service sends. Each name is a query; its first line says what it is for.

-- name: add_payment
-- Store a new payment.
INSERT INTO payment (merchant_id, id, merchant_reference, currency, amount, state, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $7);

-- name: add_attempt
-- Store a new attempt; a payment has at most one that is unsettled.
INSERT INTO attempt
    (merchant_id, id, payment_id, number, operation, amount, outcome, idempotency_key, created_at, next_check_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9::timestamptz + make_interval(secs => $10));

-- name: lock_payment
-- Make everybody else wait who wants to change this payment.
SELECT 1 FROM payment WHERE merchant_id = $1 AND id = $2 FOR UPDATE;

-- name: find_payment
-- Load one payment, one row an attempt, oldest attempt first.
SELECT * FROM payment_with_attempts
WHERE merchant_id = $1 AND id = $2
ORDER BY number;

-- name: page_of_payments
-- Load a page of payments, newest first, one row an attempt.
SELECT * FROM payment_with_attempts
WHERE merchant_id = $1 AND id IN (
    SELECT id FROM payment
    WHERE merchant_id = $1 AND ($2::uuid IS NULL OR id < $2)
    ORDER BY id DESC
    LIMIT $3
)
ORDER BY id DESC, number;

-- name: save_payment
-- Store where a payment stands.
UPDATE payment
SET state = $3, authorised = $4, captured = $5, refunded = $6, provider_authorisation = $7, updated_at = $8
WHERE merchant_id = $1 AND id = $2;

-- name: save_attempt
-- Store what became of an attempt; one that was just found unsettled is due at once.
UPDATE attempt
SET outcome = $3, code = $4, redirect_url = $5, settled_at = $6,
    next_check_at = CASE WHEN outcome = 'pending' THEN $7::timestamptz ELSE next_check_at END
WHERE merchant_id = $1 AND id = $2;

-- name: find_attempt
-- Find the attempt behind a provider reference; the provider does not know our merchants.
SELECT merchant_id, payment_id, id, created_at FROM attempt WHERE id = $1;

-- name: lease_due_attempts
-- Take attempts whose outcome is due to be asked for; each check doubles the wait for the next, up to an hour.
UPDATE attempt
SET checks = checks + 1,
    next_check_at = $1::timestamptz + make_interval(secs => least($2 * power(2, least(checks, 16)), 3600))
WHERE (merchant_id, id) IN (
    SELECT merchant_id, id FROM attempt
    WHERE outcome IN ('pending', 'unknown', 'action_required') AND next_check_at <= $1
    ORDER BY next_check_at
    LIMIT $3
    FOR UPDATE SKIP LOCKED
)
RETURNING merchant_id, payment_id, id, created_at;
