"""What can be done with packs: load, publish, compare, export, and describe their format."""

from service.catalogue.actions.files import format_files, load_pack, read_files, write_files
from service.catalogue.actions.installed import exported_files, installed_files
from service.catalogue.actions.publish import Published, publish_pack, set_up_district

__all__ = [
    "Published",
    "exported_files",
    "format_files",
    "installed_files",
    "load_pack",
    "publish_pack",
    "read_files",
    "set_up_district",
    "write_files",
]
