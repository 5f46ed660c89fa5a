/* Starts a program for a test, and interrupts it:
 *
 *     console PROGRAM ARGUMENTS   the variable CONSOLE sets a name
 *     console -INT NAME           sends Ctrl-C to the program with this name and its descendants; -TERM sends Ctrl-Break
 *
 * The second form exits when all processes have received the event. Wine's consoles do not support Ctrl-Break, so this does what
 * a console does: it starts the system's own routine for such events in each process. It also sets the variable that
 * LONE_SURROGATE names to text that only a Windows program can set: half of a surrogate pair. It knows nothing about the
 * program. */
#include <stdio.h>
#include <stdlib.h>
#include <windows.h>

/* How long to wait for a process to react, in milliseconds. A process may exit while it is interrupted. */
#define PATIENCE 10000

static void fail(const char *what) {
    fprintf(stderr, "console: %s: error %lu\n", what, GetLastError());
    ExitProcess(99);
}

/* I and T request an event, D reports its delivery. */
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
        /* There is no thread if the process has just exited. */
        if (thread) WaitForSingleObject(thread, PATIENCE);
    }
}

int main(int count, char **words) {
    if (count == 3 && words[1][0] == '-') return ask(words[2], words[1][1]);

    wchar_t variable[99];
    if (GetEnvironmentVariableW(L"LONE_SURROGATE", variable, 99)) SetEnvironmentVariableW(variable, L"made up \xd83d");

    /* The command line without this program's name, which contains no space. */
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
