"""A passkey as a browser would have registered it."""

import json
from hashlib import sha256
from typing import Any

from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData


def credential_of(name: bytes) -> dict[str, Any]:
    """What a browser would have sent for a new passkey. Its key is a point of no curve, so nobody can sign in with it."""
    key = ES256({1: 2, 3: -7, -1: 1, -2: bytes(32), -3: bytes(32)})
    flags = AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.AT
    held = AttestedCredentialData.create(bytes(16), name, key)
    data = AuthenticatorData.create(sha256(b"testserver").digest(), flags, 0, held)
    said = json.dumps({"type": "webauthn.create", "challenge": "", "origin": "http://testserver"})
    return {
        "id": websafe_encode(name),
        "rawId": websafe_encode(name),
        "type": "public-key",
        "clientExtensionResults": {"credProps": {"rk": True}},
        "response": {
            "clientDataJSON": websafe_encode(said.encode()),
            "attestationObject": websafe_encode(AttestationObject.create("none", data, {})),
        },
    }
