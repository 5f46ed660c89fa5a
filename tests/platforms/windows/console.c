/* Starts a program of the tests, and interrupts it:
 *
 *     console PROGRAM ARGUMENTS   with a name in the variable CONSOLE
 *     console -INT NAME           Ctrl-C to the program of that name and to all that it started; -TERM is Ctrl-Break
 *
 * The second one ends when all of them have received it. Wine's consoles know no Ctrl-Break, so this does what a console does: it
 * starts the system's own routine for such events in each process. It also gives a variable, the one that LONE_SURROGATE names,
 * text that only a program for Windows can: half of a surrogate pair. It knows nothing about the program. */
#include <stdio.h>
#include <stdlib.h>
#include <windows.h>

/* Milliseconds until a process that does not react is given up: a process may end while it is interrupted. */
#define PATIENCE 10000

static void fail(const char *what) {
    fprintf(stderr, "console: %s: error %lu\n", what, GetLastError());
    ExitProcess(99);
}

/* I, T: an event is asked for; D: it is done. */
static HANDLE event_of(const char *name, char letter) {
    char full[99];
    snprintf(full, sizeof full, "console-%s-%c", name, letter);
    HANDLE event = CreateEventA(NULL, FALSE, FALSE, full);
    if (!event) fail(full);
    return event;
}

static int ask(const char *name, char letter) {
    HANDLE done = event_of(name, 'D');
    SetEvent(event_of(name, letter));
    WaitForSingleObject(done, PATIENCE);
    return 0;
}

static void interrupt_all(HANDLE job, DWORD event) {
    LPTHREAD_START_ROUTINE routine = (void *)GetProcAddress(GetModuleHandleA("kernelbase"), "CtrlRoutine");
    JOBOBJECT_BASIC_PROCESS_ID_LIST *all = calloc(1, 999);
    if (!routine || !QueryInformationJobObject(job, JobObjectBasicProcessIdList, all, 999, NULL)) fail("the job");
    for (DWORD i = 0; i < all->NumberOfProcessIdsInList; i++) {
        HANDLE process = OpenProcess(PROCESS_ALL_ACCESS, FALSE, (DWORD)all->ProcessIdList[i]);
        HANDLE thread = CreateRemoteThread(process, NULL, 0, routine, (void *)(ULONG_PTR)event, 0, NULL);
        /* There is none in a process that has just ended. */
        if (thread) WaitForSingleObject(thread, PATIENCE);
    }
}

int main(int count, char **words) {
    if (count == 3 && words[1][0] == '-') return ask(words[2], words[1][1]);

    wchar_t variable[99];
    if (GetEnvironmentVariableW(L"LONE_SURROGATE", variable, 99)) SetEnvironmentVariableW(variable, L"made up \xd83d");

    /* The command line without this program's name, which holds no space. */
    wchar_t *line = GetCommandLineW();
    line += wcscspn(line, L" ");
    line += wcsspn(line, L" ");

    const char *name = getenv("CONSOLE");
    HANDLE done = event_of(name, 'D'), job = CreateJobObjectA(NULL, NULL);
    STARTUPINFOW start = {.cb = sizeof start};
    PROCESS_INFORMATION program;
    if (!CreateProcessW(NULL, line, NULL, NULL, TRUE, CREATE_SUSPENDED, NULL, NULL, &start, &program)) fail("the program");
    if (!AssignProcessToJobObject(job, program.hProcess)) fail("the job");
    HANDLE awaited[] = {program.hProcess, event_of(name, 'I'), event_of(name, 'T')};
    ResumeThread(program.hThread);

    for (DWORD which; (which = WaitForMultipleObjects(3, awaited, FALSE, INFINITE)) != WAIT_OBJECT_0;) {
        interrupt_all(job, which == WAIT_OBJECT_0 + 1 ? CTRL_C_EVENT : CTRL_BREAK_EVENT);
        SetEvent(done);
    }
    DWORD code;
    GetExitCodeProcess(program.hProcess, &code);
    return (int)code;
}
