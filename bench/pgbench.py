"""What PostgreSQL does by itself: an update and an insert of a hold in one transaction.

All clients want the same row, as shoppers do.
"""

import re
import subprocess
from pathlib import Path

from towns import Town

from tests.postgres import find_programs

CLIENTS = (1, 8, 32)

SCRIPT = """
BEGIN;
UPDATE deal SET held = held + 1
 WHERE id = '{deal}' AND allotment - withheld - held - sold >= 1;
INSERT INTO hold (id, retailer_id, deal_id, post_id, token, key, shopper, title,
    quantity, unit_amount, currency, state, request, account_id, checkout_url,
    address, attempts, extended, held_at, expires_at)
SELECT 'hold_' || word, retailer_id, deal_id, id, word, 'pgbench-' || word, word,
    'Rucksack', 1, 4990, 'eur', 'held', '', '', '', '', 0, false, now(),
    now() + interval '10 minutes'
FROM post, replace(gen_random_uuid()::text, '-', '') AS word
WHERE deal_id = '{deal}';
END;
"""


def transactions_per_second(
    town: Town, folder: Path, clients: int, seconds: float
) -> float:
    """Return how many holds *clients* at once place in a second."""
    script = folder / "pgbench.sql"
    script.write_text(SCRIPT.format(deal=town.deals[0].id))
    where = re.fullmatch(r".*@(.*):(\d+)/(\w+)", town.url)
    assert where is not None
    host, port, database = where.groups()
    program = str(find_programs() / "pgbench")
    options = ["-n", "-M", "prepared", "-f", str(script), "-T", f"{round(seconds)}"]
    options += ["-c", str(clients), "-j", str(min(clients, 2))]
    address = ["-h", host, "-p", port, "-U", "outletbot", database]
    said = subprocess.run(
        [program, *options, *address], capture_output=True, text=True, check=False
    )
    found = re.search(r"tps = ([\d.]+)", said.stdout)
    if found is None or said.returncode:
        raise SystemExit(f"pgbench failed: {said.stdout}{said.stderr}")
    return float(found[1])
