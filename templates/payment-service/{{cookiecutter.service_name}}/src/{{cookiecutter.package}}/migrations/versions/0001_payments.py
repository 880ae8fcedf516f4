"""Payments and their attempts, guarded so that the database refuses bad money whoever writes it."""

from alembic import op
from platform_lib.events import inbox_ddl, outbox_ddl
from platform_lib.payments import idempotency_ddl

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Every key begins with the merchant, so that the tables can be partitioned or distributed by it.
PAYMENT = """
CREATE TABLE payment (
    merchant_id            text        NOT NULL CHECK (merchant_id ~ '^[a-z0-9_-]{1,64}$'),
    id                     uuid        NOT NULL,
    merchant_reference     text        NOT NULL CHECK (length(merchant_reference) BETWEEN 1 AND 64),
    currency               char(3)     NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    amount                 bigint      NOT NULL CHECK (amount > 0),
    authorised             bigint      NOT NULL DEFAULT 0,
    captured               bigint      NOT NULL DEFAULT 0,
    refunded               bigint      NOT NULL DEFAULT 0,
    state                  text        NOT NULL,
    provider_authorisation text,
    created_at             timestamptz NOT NULL,
    updated_at             timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, id),
    CONSTRAINT payment_state_is_known CHECK (state IN (
        'pending', 'unknown', 'requires_action', 'authorised', 'declined', 'failed',
        'captured', 'voided', 'refunded')),
    CONSTRAINT payment_money_adds_up CHECK (
        0 <= refunded AND refunded <= captured AND captured <= authorised AND authorised <= amount),
    CONSTRAINT payment_state_fits_money CHECK (CASE
        WHEN state IN ('pending', 'requires_action', 'declined', 'failed') THEN authorised = 0
        WHEN state IN ('authorised', 'voided') THEN authorised > 0 AND captured = 0
        WHEN state = 'captured' THEN captured > refunded
        WHEN state = 'refunded' THEN captured > 0 AND captured = refunded
        ELSE true END)
)
"""

TRANSITIONS = """
CREATE FUNCTION payment_may_become(before text, after text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN CASE before
    WHEN 'pending' THEN after IN ('unknown', 'requires_action', 'authorised', 'declined', 'failed')
    WHEN 'unknown' THEN after IN (
        'requires_action', 'authorised', 'declined', 'failed', 'captured', 'voided', 'refunded')
    WHEN 'requires_action' THEN after IN ('authorised', 'declined', 'failed')
    WHEN 'authorised' THEN after IN ('unknown', 'captured', 'voided')
    WHEN 'captured' THEN after IN ('unknown', 'refunded')
    ELSE false END
"""

PAYMENT_GUARD = """
CREATE FUNCTION payment_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'pending' THEN
            RAISE EXCEPTION 'payment %: begins as %, not as pending', NEW.id, NEW.state
                USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_begins_pending';
        END IF;
        RETURN NEW;
    END IF;
    IF NEW.state <> OLD.state AND NOT payment_may_become(OLD.state, NEW.state) THEN
        RAISE EXCEPTION 'payment %: % cannot become %', OLD.id, OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_transition_is_legal';
    END IF;
    IF (NEW.amount, NEW.currency) IS DISTINCT FROM (OLD.amount, OLD.currency)
        OR NEW.captured < OLD.captured OR NEW.refunded < OLD.refunded THEN
        RAISE EXCEPTION 'payment %: money that moved cannot be unmoved', OLD.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_money_only_grows';
    END IF;
    RETURN NEW;
END $$
"""

ATTEMPT = """
CREATE TABLE attempt (
    merchant_id     text        NOT NULL,
    id              uuid        NOT NULL,
    payment_id      uuid        NOT NULL,
    number          smallint    NOT NULL CHECK (number > 0),
    operation       text        NOT NULL CHECK (operation IN ('authorise', 'capture', 'void', 'refund')),
    amount          bigint      NOT NULL CHECK (amount > 0),
    outcome         text        NOT NULL CHECK (outcome IN (
        'pending', 'unknown', 'action_required', 'succeeded', 'declined', 'failed')),
    code            text,
    redirect_url    text,
    idempotency_key text        NOT NULL,
    checks          integer     NOT NULL DEFAULT 0,
    next_check_at   timestamptz NOT NULL,
    created_at      timestamptz NOT NULL,
    settled_at      timestamptz,
    PRIMARY KEY (merchant_id, id),
    FOREIGN KEY (merchant_id, payment_id) REFERENCES payment (merchant_id, id),
    CONSTRAINT attempt_is_settled_once_final CHECK (
        (settled_at IS NOT NULL) = (outcome IN ('succeeded', 'declined', 'failed')))
)
"""

ATTEMPT_GUARD = """
CREATE FUNCTION attempt_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.settled_at IS NOT NULL THEN
        RAISE EXCEPTION 'attempt %: settled as %, which is final', OLD.id, OLD.outcome
            USING ERRCODE = 'check_violation', CONSTRAINT = 'attempt_outcome_is_final';
    END IF;
    RETURN NEW;
END $$
"""

STATEMENTS = [
    PAYMENT,
    TRANSITIONS,
    PAYMENT_GUARD,
    """
    CREATE TRIGGER payment_guard BEFORE INSERT OR UPDATE ON payment
    FOR EACH ROW EXECUTE FUNCTION payment_guard()
    """,
    ATTEMPT,
    ATTEMPT_GUARD,
    """
    CREATE TRIGGER attempt_guard BEFORE UPDATE ON attempt
    FOR EACH ROW EXECUTE FUNCTION attempt_guard()
    """,
    # Two operations racing on one payment: the second one to record its intent is refused.
    """
    CREATE UNIQUE INDEX attempt_one_unsettled ON attempt (merchant_id, payment_id)
    WHERE outcome IN ('pending', 'unknown', 'action_required')
    """,
    """
    CREATE INDEX attempt_due ON attempt (next_check_at)
    WHERE outcome IN ('pending', 'unknown', 'action_required')
    """,
    # Clocks of replicas differ: the number, not the time, is the order of a payment's attempts.
    "CREATE UNIQUE INDEX attempt_number ON attempt (merchant_id, payment_id, number)",
    "CREATE INDEX attempt_by_reference ON attempt (id)",
    """
    CREATE VIEW payment_with_attempts AS
    SELECT p.*, a.id AS attempt_id, a.number, a.operation, a.amount AS attempt_amount, a.outcome, a.code,
        a.redirect_url, a.idempotency_key, a.created_at AS attempt_created_at, a.settled_at
    FROM payment p JOIN attempt a ON a.merchant_id = p.merchant_id AND a.payment_id = p.id
    """,
]


def upgrade() -> None:
    """Create the tables, the platform's own beside them."""
    for statement in [*STATEMENTS, outbox_ddl(1), inbox_ddl(1), idempotency_ddl(1)]:
        op.execute(statement)


def downgrade() -> None:
    """Refuse: dropping payments is never a migration."""
    raise NotImplementedError("0001_payments: payments are not dropped; restore a backup instead")
