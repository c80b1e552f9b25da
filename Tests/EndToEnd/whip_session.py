"""The HTTP half of WHIP (RFC 9725) and WHEP for the Python clients."""

from urllib.parse import urljoin

import requests


class Session:
    """One POSTed offer and what came back."""

    def __init__(self, place: dict, offer: str, verify=True):
        self.token = place["token"]
        self.verify = verify
        response = requests.post(
            place["url"],
            data=offer.encode(),
            headers={"Content-Type": "application/sdp", "Authorization": f"Bearer {self.token}"},
            timeout=10,
            verify=verify,
        )
        assert response.status_code == 201, f"POST answered {response.status_code}: {response.text[:500]}"
        self.answer = response.text
        self.url = urljoin(place["url"], response.headers["Location"])
        self.etag = response.headers.get("ETag")
        links = requests.utils.parse_header_links(response.headers.get("Link", ""))
        self.links = {link["rel"]: urljoin(place["url"], link["url"]) for link in links if "rel" in link}

    def show(self, pane: str, mids=("0", "1")) -> None:
        """Wishes what the lines of a receiver show."""
        response = requests.put(
            self.links["urn:tongke:panes"],
            json=[{"mid": mid, "show": pane} for mid in mids],
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=10,
            verify=self.verify,
        )
        assert response.status_code == 204, f"panes answered {response.status_code}: {response.text[:500]}"

    def leave(self) -> int:
        return requests.delete(
            self.url, headers={"Authorization": f"Bearer {self.token}"}, timeout=10, verify=self.verify
        ).status_code
