"""Build the test images for PostgreSQL and NATS; the work is done by `platform_lib.engines.images`."""

import sys

from platform_lib.engines.images import main

sys.exit(main())
