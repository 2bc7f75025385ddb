"""The use cases of identity."""

from service.identity.actions.accounts import ensure_account
from service.identity.actions.consents import change_consent, give_consents
from service.identity.actions.profile import add_family_member, update_me
from service.identity.actions.sign_in import (
    SignedIn,
    refresh_session,
    sign_in_by_password,
    sign_in_by_wechat,
    sign_out,
)
from service.identity.actions.staffing import ensure_staff, publish_departments

__all__ = [
    "SignedIn",
    "add_family_member",
    "change_consent",
    "ensure_account",
    "ensure_staff",
    "give_consents",
    "publish_departments",
    "refresh_session",
    "sign_in_by_password",
    "sign_in_by_wechat",
    "sign_out",
    "update_me",
]
