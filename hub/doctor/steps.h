/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The steps, in their order. The three groups are in files.c, process.c and network.c. */
#pragma once

#include "hub/doctor/doctor.h"

/* Before them: asks the hub, whose name the first ones need. */
void doctor_ask(Doctor *doctor);

void doctor_settings(Doctor *doctor, DoctorCheck *check);
void doctor_disk(Doctor *doctor, DoctorCheck *check);
void doctor_registry(Doctor *doctor, DoctorCheck *check);
void doctor_clock(Doctor *doctor, DoctorCheck *check);
void doctor_certificate(Doctor *doctor, DoctorCheck *check);

void doctor_hub(Doctor *doctor, DoctorCheck *check);
void doctor_limits(Doctor *doctor, DoctorCheck *check);
void doctor_descriptors(Doctor *doctor, DoctorCheck *check);

void doctor_name(Doctor *doctor, DoctorCheck *check);
void doctor_https(Doctor *doctor, DoctorCheck *check);
void doctor_mqtts(Doctor *doctor, DoctorCheck *check);
void doctor_outside(Doctor *doctor, DoctorCheck *check);
