"""Settlements and their movements, guarded so that the database refuses bad money whoever writes it."""

from alembic import op
from platform_lib.events import dead_letters_ddl, inbox_ddl, outbox_ddl

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Every key begins with the merchant, so that the tables can be partitioned or distributed by it.
SETTLEMENT = """
CREATE TABLE settlement (
    merchant_id text        NOT NULL CHECK (merchant_id ~ '^[a-z0-9_-]{1,64}$'),
    id          uuid        NOT NULL,
    currency    char(3)     NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    day         date        NOT NULL,
    total       bigint      NOT NULL DEFAULT 0,
    movements   integer     NOT NULL DEFAULT 0 CHECK (movements >= 0),
    closed_at   timestamptz,
    PRIMARY KEY (merchant_id, id),
    CONSTRAINT settlement_one_a_day UNIQUE (merchant_id, currency, day)
)
"""

SETTLEMENT_GUARD = """
CREATE FUNCTION settlement_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.closed_at IS NOT NULL THEN
        RAISE EXCEPTION 'settlement %: closed, which is final', OLD.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'settlement_closed_is_final';
    END IF;
    IF (NEW.currency, NEW.day) IS DISTINCT FROM (OLD.currency, OLD.day) OR NEW.movements < OLD.movements THEN
        RAISE EXCEPTION 'settlement %: what was added cannot be taken out', OLD.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'settlement_only_grows';
    END IF;
    RETURN NEW;
END $$
"""

MOVEMENT = """
CREATE TABLE movement (
    merchant_id   text        NOT NULL,
    id            uuid        NOT NULL,
    settlement_id uuid        NOT NULL,
    payment_id    uuid        NOT NULL,
    direction     text        NOT NULL CHECK (direction IN ('capture', 'refund')),
    amount        bigint      NOT NULL CHECK (amount > 0),
    time          timestamptz NOT NULL,
    PRIMARY KEY (merchant_id, id),
    FOREIGN KEY (merchant_id, settlement_id) REFERENCES settlement (merchant_id, id)
)
"""

STATEMENTS = [
    SETTLEMENT,
    SETTLEMENT_GUARD,
    """
    CREATE TRIGGER settlement_guard BEFORE UPDATE ON settlement
    FOR EACH ROW EXECUTE FUNCTION settlement_guard()
    """,
    "CREATE INDEX settlement_open ON settlement (day) WHERE closed_at IS NULL",
    MOVEMENT,
    "CREATE INDEX movement_of_settlement ON movement (merchant_id, settlement_id)",
]


def upgrade() -> None:
    """Create the tables, the platform's own beside them."""
    for statement in [*STATEMENTS, outbox_ddl(1), inbox_ddl(1), dead_letters_ddl(1)]:
        op.execute(statement)


def downgrade() -> None:
    """Refuse: dropping settlements is never a migration."""
    raise NotImplementedError("0001_settlements: settlements are not dropped; restore a backup instead")
