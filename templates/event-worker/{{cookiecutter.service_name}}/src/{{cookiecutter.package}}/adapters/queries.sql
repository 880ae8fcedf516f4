-- Every statement that the worker sends. Each name is a query; its first line says what it is for.

-- name: add_settlement
-- Begin the settlement of a merchant, a currency and a day, unless there is one.
INSERT INTO settlement (merchant_id, id, currency, day)
VALUES ($1, $2, $3, $4)
ON CONFLICT (merchant_id, currency, day) DO NOTHING;

-- name: lock_settlement
-- Make everybody else wait who wants to change this settlement.
SELECT * FROM settlement WHERE merchant_id = $1 AND currency = $2 AND day = $3 FOR UPDATE;

-- name: add_movement
-- Store a movement; one that is stored already is refused.
INSERT INTO movement (merchant_id, id, settlement_id, payment_id, direction, amount, time)
VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: save_sums
-- Store what a settlement comes to.
UPDATE settlement SET total = $3, movements = $4 WHERE merchant_id = $1 AND id = $2;

-- name: lock_open_settlements
-- Lock up to $2 open settlements of days before $1, oldest first, that no other replica holds.
SELECT * FROM settlement
WHERE closed_at IS NULL AND day < $1
ORDER BY day
LIMIT $2
FOR UPDATE SKIP LOCKED;

-- name: close_settlement
-- Close a settlement for ever.
UPDATE settlement SET closed_at = $3 WHERE merchant_id = $1 AND id = $2;
