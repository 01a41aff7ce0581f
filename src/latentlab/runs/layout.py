"""The names of the files and folders that a run's folder and a sweep's folder hold, each written here once."""

# of a run
HYDRA = ".hydra"
CONFIG = f"{HYDRA}/resolved.yaml"  # every interpolation resolved
OVERRIDES = f"{HYDRA}/overrides.yaml"  # the command line's
HYDRA_CONFIG = f"{HYDRA}/hydra.yaml"
STATUS = "status.json"
METRICS = "metrics.json"
HISTORY = "history.jsonl"  # one or two lines per epoch
CHECKPOINTS = "checkpoints"
LAST, BEST = "last", "best"  # checkpoints, without their suffix
CHECKPOINT_SUFFIX = ".ckpt"
FIGURES = "figures"
EVALUATION = "evaluation"  # the pictures in it of an evaluation are evaluation_NAME.png
EPOCH_PICTURE = "epoch_{:04d}.png"  # in a folder below figures/, of the picture's name
EXPORT = "export"  # an export without a place of its own is in export_FORMAT
LOG_SUFFIX = ".log"

# of any folder that one process at a time may write to
LOCK, LOCK_HOLDER = ".lock", ".lock.json"

# of a sweep
SWEEPS = "sweeps"  # the folder of all of them, below paths.output_dir
MANIFEST = "sweep.json"
SEARCH, SEARCH_JOURNAL = "search.json", "search.journal"
SEARCH_DATABASE = "search.db"  # SQLite, of versions before the journal
SEARCH_STUDY = "search.study"  # the study's name in a database that other sweeps use as well
WORKERS = ".workers"
REPORT, REPORT_MARKDOWN = "report.html", "report.md"
REPORT_RUNS, REPORT_GROUPS = "report.csv", "report_groups.csv"

# of either
EXPLORE = "explore.html"  # the page of `latentlab explore`, to which a report links
