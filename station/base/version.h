/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FL_BASE_VERSION_H
#define FL_BASE_VERSION_H

#define FL_VERSION "0.1.0"

#endif
