/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_PLACE_DIR_H
#define REGISTRY_PLACE_DIR_H

#include "base/err.h"
#include "registry/place.h"

/* place_dir - one image as the plain files of a directory, as skopeo's dir: has it: version, manifest.json, each blob under
 * the hex digits of its digest, and other manifests of an index as <hex>.manifest.json.  It has no names: whatever is asked
 * for or tagged is that image.  Signatures are neither read nor written. */

#define PLACE_DIR_VERSION_MAX 4096 /* bytes of file version */

enum place_dir_access {
	PLACE_DIR_READ,  /* must be there: ERR_NOTFOUND, ERR_INPUT where it is no such directory */
	PLACE_DIR_WRITE, /* made when missing or empty; what it had of another image goes when the new one is tagged */
};
int place_dir_open(
	const char *path, enum place_dir_access access, struct place **out, struct err *err);

#endif
