/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_REF_H
#define REGISTRY_REF_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "layers/digest.h"

/* ref - what people call an image: [host[:port]/]repository[:tag][@digest].  A value; owns nothing,
 *may be copied.  What was parsed may become part of a URL or a file name. (distribution-spec,
 *"Pulling manifests"; Docker's names for what is on Docker Hub)
 *
 *	alpine                      docker.io       library/alpine  latest (implied)
 *	localhost:5000/a/b:1        localhost:5000  a/b             1
 *	[::1]:5000/a@sha256:...     [::1]:5000      a               "" and the digest
 *
 * The first component is a host when it has a '.', a ':' or an upper-case letter, or is
 *"localhost"; else the repository is Docker Hub's. */

#define REF_HOST_DOCKER_HUB "docker.io" /* its name; requests go elsewhere, see host.h */

struct ref {
	char host[272]; /* as written, with the port if one was said; never empty */
	bool host_implied;       /* host is Docker Hub because none was said */
	bool library_implied;    /* and repository begins with "library/" likewise */
	char repository[256];
	char tag[129];        /* "": none, a digest was given instead */
	bool tag_implied;     /* tag is "latest" because nothing was said */
	struct digest digest; /* empty: none was said; if there, it alone decides what is fetched */
};

/* ERR_INPUT says which part is wrong.  Never touches the network. */
int ref_parse(const char *text, struct ref *out, struct err *err);

/* What to ask a place for: the digest if there is one, else the tag. */
const char *ref_name(const struct ref *r);

enum ref_style {
	REF_CANONICAL,           /* docker.io/library/alpine:3.19@sha256:... */
	REF_FAMILIAR,            /* alpine:3.19@sha256:...: as short as still parses to the same */
	REF_REPOSITORY,          /* docker.io/library/alpine */
	REF_FAMILIAR_REPOSITORY, /* alpine */
};
void ref_format(const struct ref *r, enum ref_style style, struct buf *out);

/* Same host (not minding case) and repository. */
bool ref_same_repository(const struct ref *a, const struct ref *b);

/* Whether it may be a tag: [A-Za-z0-9_][A-Za-z0-9._-]{0,127}. */
bool ref_is_tag(const char *text);

#endif
