"""A talent's documents: hand one in, look at it, erase it."""

from __future__ import annotations

from functools import partial
from typing import Any, Final
from uuid import UUID

from flask import Response

from service.authorities.queries import act_for, usable_authority
from service.enterprises.queries import enterprise_for
from service.kernel import clock, http, storage
from service.kernel.http.limits import client_account, limiter
from service.kernel.permissions import Permission
from service.kernel.views import PageOf
from service.materials import actions, queries, rules, schemas
from service.materials.rules import KnownMaterial, Limits, MediaType, Quota, Upload

blp = http.Blueprint(
    "materials",
    __name__,
    url_prefix="/v1",
    description="Documents that talents hand in: kept once, used for many applications.",
)

_ID: Final = "0199d3c2-7a5b-7f30-9c41-6e2d8b0f4a17"
_MATERIAL: Final = {
    "id": _ID,
    "code": "degree_certificate",
    "name": "学位证书.pdf",
    "media_type": "application/pdf",
    "size": 482133,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "pages": 2,
    "uploaded_at": "2026-11-23T06:40:00+00:00",
}
_PAGE: Final = {"items": [_MATERIAL], "next": None}
_FORM: Final = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "additionalProperties": False,
                "required": ["code", "file"],
                "properties": {
                    "code": {
                        "type": "string",
                        "pattern": "^[a-z][a-z0-9_]{0,39}$",
                        "description": "What the document is: the code of a material of the"
                        " district's pack.",
                    },
                    "file": {
                        "type": "string",
                        "format": "binary",
                        "description": "PDF, JPEG, PNG, DOCX or XLSX, with a name that ends so.",
                    },
                },
            },
            "encoding": {"file": {"contentType": ", ".join(MediaType)}},
            "example": {"code": "degree_certificate", "file": "%PDF-1.7 …"},
        }
    },
}
_CONTENT: Final = {
    200: {
        "description": "The content, to be kept as a file: of one of these types.",
        "content": {media_type.value: {} for media_type in MediaType},
    }
}
_REFUSALS: Final = {
    400: ["form_malformed"],
    409: ["materials_too_many", "materials_too_large"],
    413: ["file_too_large", "form_too_much"],
    415: ["form_expected", "file_type_unsupported", "file_type_heic", "file_type_old"],
    422: [
        "file_empty", "file_broken", "file_encrypted", "file_does_something", "file_has_macros",
        "file_too_complicated", "file_of_two_types", "file_carries_files", "file_links_outside",
        "file_paths_wrong", "file_unpacks_too_large", "file_pixels_too_many",
        "file_pages_too_many", "file_name_missing", "file_ending_wrong",
    ],
    429: ["too_many_requests"],
}  # fmt: skip


def _per_account() -> str:
    return http.runtime().settings.limit_uploads


@limiter.limit(_per_account, key_func=client_account)
def _receive() -> dict[str, Any]:
    """Look at the file and put it into the storage, before any transaction."""
    settings, files, district = http.runtime().settings, storage.in_use(), http.actor().district
    limits = Limits(
        size=settings.material_bytes,
        pixels=settings.material_pixels,
        pages=settings.material_pages,
        unpacked=settings.material_unpacked_bytes,
    )
    form = http.read_form(schemas.UploadIn, largest=limits.size)
    examined = rules.examine(form["file"].name, form["file"].content, limits)
    upload = actions.store_content(files, district=district, examined=examined)
    http.unless_committed(partial(files.delete, rules.blob_of(district, upload.id)))
    return {"code": form["code"], "name": examined.name, "upload": upload}


def _quota() -> Quota:
    settings = http.runtime().settings
    return Quota(settings.material_person_files, settings.material_person_bytes)


@blp.post(
    "/materials",
    allow=Permission.MATERIAL_WRITE,
    audiences=("talent",),
    problems=_REFUSALS,
    before=_receive,
)
@blp.doc(requestBody=_FORM)
@blp.response(201, schemas.MaterialOut, example=_MATERIAL)
def upload_material(code: str, name: str, upload: Upload) -> tuple[KnownMaterial, int, Any]:
    """Hand in a document.

    Its type is told by what is in it. Images are kept without place, camera and comments.
    """
    session, actor = http.session(), http.actor()
    material = actions.keep_material(
        session,
        actor,
        person=actor.person,
        code=code,
        name=name,
        upload=upload,
        quota=_quota(),
        at=clock.now(),
    )
    return material, 201, {"Location": f"/v1/materials/{material.id}"}


@blp.post(
    "/enterprise/authorities/<uuid:authority_id>/materials",
    allow=Permission.AUTHORITY_USE,
    audiences=("enterprise",),
    problems={**_REFUSALS, 403: ["no_enterprise_in_district"]},
    before=_receive,
)
@blp.doc(requestBody=_FORM)
@blp.response(201, schemas.MaterialOut, example=_MATERIAL)
def upload_employee_material(
    authority_id: UUID, code: str, name: str, upload: Upload
) -> KnownMaterial:
    """Hand in a document for an employee who lets us file; it is theirs alone to look at.

    Its type is told by what is in it. Images are kept without place, camera and comments.
    """
    session, actor, at = http.session(), http.actor(), clock.now()
    enterprise = enterprise_for(session, actor, on=actor.local_date(at)).id
    authority = usable_authority(session, actor, enterprise, authority_id)
    act_for(session, actor, authority)
    return actions.keep_material(
        session,
        actor,
        person=authority.person_id,
        code=code,
        name=name,
        upload=upload,
        quota=_quota(),
        at=at,
    )


@blp.get("/materials", allow=Permission.MATERIAL_READ, audiences=("talent",))
@blp.arguments(schemas.MaterialPageIn, location="query", as_kwargs=True)
@blp.response(200, schemas.MaterialPageOut, example=_PAGE)
def list_materials(limit: int, after: str | None, code: str | None) -> PageOf[KnownMaterial]:
    """List the documents that I have handed in in this district, the newest first."""
    session, actor = http.session(), http.actor()
    filters = {"list": "materials", "code": code}
    page = http.Page(limit, after, account=actor.account, filters=filters)
    before = page.behind_id
    found = queries.materials_for(session, actor, before=before, limit=limit, code=code)
    return page.answer(found, lambda material: material, lambda material: [material.id])


@blp.get("/materials/<uuid:material_id>", allow=Permission.MATERIAL_READ, audiences=("talent",))
@blp.response(200, schemas.MaterialOut, example=_MATERIAL)
def get_material(material_id: UUID) -> KnownMaterial:
    """Read what is known of one of my documents."""
    return queries.material_for(http.session(), http.actor(), material_id)


@blp.get(
    "/materials/<uuid:material_id>/content",
    allow=Permission.MATERIAL_READ,
    audiences=("talent",),
)
@blp.doc(responses=_CONTENT)
def get_material_content(material_id: UUID) -> Response:
    """Download one of my documents."""
    material = queries.material_for(http.session(), http.actor(), material_id)
    http.finish()
    return http.attachment(
        queries.open_material(storage.in_use(), material),
        name=material.name,
        media_type=material.media_type,
        size=material.size,
    )


@blp.delete(
    "/materials/<uuid:material_id>",
    allow=Permission.MATERIAL_WRITE,
    audiences=("talent",),
    problems={409: ["material_in_use", "material_is_evidence", "material_proves_fact"]},
)
@blp.response(204)
def delete_material(material_id: UUID) -> None:
    """Erase one of my documents: its content is deleted for good.

    What an application that has not ended, a decision, or a fact in force rests on stays: `until`
    is the last day on which it does, where that is known.
    """
    actions.erase_material(http.session(), http.actor(), material_id=material_id, at=clock.now())
