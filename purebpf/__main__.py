"""python -m purebpf"""

from .cli import main

raise SystemExit(main())
