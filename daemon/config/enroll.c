/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/config/enroll.h"

#include "common/base/secret-file.h"
#include "common/base/secret.h"
#include "common/codec/invitation.h"

static void
add_text(StoreState *state, const char *name, const char *as, const char *text,
         const GError *failure)
{
    g_auto(SecretText) ticket = NULL;
    g_autofree char *ca = NULL;
    g_autoptr(GError) error = NULL;

    if (text && invitation_split(text, &ticket, &ca, &error) && !invitation_is_ticket(ticket))
        g_set_error_literal(&error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                            "a connection string is no invitation: give it to a [hub] by "
                            "ConnectionStringFile");
    store_state_add_enroll(state, &(StoreEnroll){
                                      .name = name,
                                      .as = as,
                                      .ticket = error ? NULL : ticket,
                                      .ca = ca,
                                      .why = error     ? error->message
                                             : failure ? failure->message
                                                       : NULL,
                                  });
}

void
config_read_enroll(ConfigFile *config, const ConfigSection *section, const char *name,
                   StoreState *state)
{
    const char *file = config_section_value(section, "InvitationFile");
    const char *credential = config_section_value(section, "InvitationCredential");
    g_autoptr(GError) error = NULL;
    g_auto(SecretText) text = NULL;

    if (!hub_name_is_valid(name))
        config_file_problem(config, &section->place,
                            "[%s]: a hub's name is 1 to 64 of the characters A-Z a-z 0-9 . _ -",
                            section->name);
    if (!file == !credential) {
        config_file_problem(config, &section->place,
                            "[%s]: InvitationFile or InvitationCredential, one of the two",
                            section->name);
        return;
    }
    text = file ? secret_file_read(file, INVITATION_MAX, &error)
                : secret_file_read_credential(credential, INVITATION_MAX, &error);
    add_text(state, name, config_section_value(section, "As"), text, error);
}

void
config_find_enroll(const char *config_path, StoreState *state)
{
    const char *credentials = g_getenv("CREDENTIALS_DIRECTORY");
    g_autofree char *folder = g_path_get_dirname(config_path);
    g_autofree char *given =
        credentials ? g_build_filename(credentials, CONFIG_ENROLL_CREDENTIAL, NULL) : NULL;
    g_autofree char *beside = g_build_filename(folder, CONFIG_ENROLL_FILE, NULL);
    const char *path = given && g_file_test(given, G_FILE_TEST_EXISTS) ? given : beside;
    g_autoptr(GError) error = NULL;
    g_auto(SecretText) text = NULL;

    if (store_state_enrolls(state) > 0 || !g_file_test(path, G_FILE_TEST_EXISTS))
        return;
    text = secret_file_read(path, INVITATION_MAX, &error);
    add_text(state, CONFIG_ENROLL_HUB, NULL, text, error);
}
