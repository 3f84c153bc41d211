/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Words for a diagnosis: the names of its steps and results, and what helps. Translated. */
#pragma once

#include "hub/doctor/doctor.h"

const char *doctor_step_name(const char *step);
const char *doctor_result_name(DoctorResult result);
const char *doctor_result_code(DoctorResult result); /* "ok"; not translated */
const char *doctor_cure(const char *cause);          /* NULL: nothing is known */
