export interface paths {
    "/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A page of all sessions, newest first. */
        get: operations["listSessions"];
        put?: never;
        /** Makes a session. The same `sessionId` again gives the same session. */
        post: operations["createSession"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sessions/{sessionId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A session as it is now. Opens it where it was closed; starts no agent. */
        get: operations["getSession"];
        put?: never;
        post?: never;
        /** Deletes the session and its conversation. Nothing brings it back. */
        delete: operations["deleteSession"];
        options?: never;
        head?: never;
        /** Sets the title. */
        patch: operations["renameSession"];
        trace?: never;
    };
    "/sessions/{sessionId}/archive": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Removes the session from the lists. */
        post: operations["archiveSession"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sessions/{sessionId}/unarchive": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Adds an archived session to the lists again. */
        post: operations["unarchiveSession"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sessions/{sessionId}/close": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Ends the session and its agent; the next prompt opens it again. */
        post: operations["closeSession"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sessions/{sessionId}/interrupt": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Interrupts the running turn. */
        post: operations["interruptSession"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/search": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Searches the conversations. */
        get: operations["searchSessions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sessions/{sessionId}/messages": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A page of the conversation, newest first. */
        get: operations["listMessages"];
        put?: never;
        /** Sends a prompt. It is stored when this is answered; the turn continues without the caller. */
        post: operations["sendMessage"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sessions/{sessionId}/receipts/{messageId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What became of a message; waits for the end of its turn, if that is requested. */
        get: operations["getReceipt"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/sessions/{sessionId}/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The events of all turns as server-sent events, replayed and live. */
        get: operations["followSession"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/requests": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Pending permission requests and questions, oldest first. */
        get: operations["listRequests"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/requests/{requestId}/answer": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Answers a request. 409 with the valid `outcome` where it is answered already. */
        post: operations["answerRequest"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/webhooks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The caller's webhooks. */
        get: operations["listWebhooks"];
        put?: never;
        /** Delivers events of a session to an address, each until it is accepted, also after a restart. */
        post: operations["addWebhook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/webhooks/{webhookId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A webhook, and how far it got. */
        get: operations["getWebhook"];
        put?: never;
        post?: never;
        /** Ends the deliveries. */
        delete: operations["removeWebhook"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/machines": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The machines of the fleet, those that are lost included. 501 where the gateway serves one daemon. */
        get: operations["listMachines"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        MessageBlock: ({
            /** @constant */
            type: "text";
            text: string;
        } & {
            [key: string]: unknown;
        }) | ({
            /** @constant */
            type: "tool_use";
            id: string;
            name: string;
            input: unknown;
            thoughtSignature?: string;
        } & {
            [key: string]: unknown;
        }) | ({
            /** @constant */
            type: "tool_result";
            toolUseId: string;
            content?: string | components["schemas"]["MessageBlock"][];
            isError?: boolean;
        } & {
            [key: string]: unknown;
        }) | ({
            /** @constant */
            type: "thinking";
            thinking: string;
            signature?: string;
            signatureProvider?: string;
            durationMs?: number;
        } & {
            [key: string]: unknown;
        }) | ({
            /** @constant */
            type: "redacted_thinking";
            data: string;
        } & {
            [key: string]: unknown;
        }) | ({
            /** @constant */
            type: "image";
            source: unknown;
        } & {
            [key: string]: unknown;
        }) | ({
            /** @constant */
            type: "document";
            source: unknown;
        } & {
            [key: string]: unknown;
        }) | ({
            type: string;
        } & {
            [key: string]: unknown;
        });
        SessionMessage: {
            id: string;
            role: string;
            content: components["schemas"]["MessageBlock"][];
            createdAt: number;
            updatedAt: number;
            parentId?: string;
            visibility?: string;
            isError?: boolean;
        } & {
            [key: string]: unknown;
        };
        SessionTag: {
            name: string;
            metadata?: {
                [key: string]: string;
            };
        } & {
            [key: string]: unknown;
        };
        SessionSettings: {
            modelId: string;
            reasoningEffort: string;
            interactionMode?: string;
            autonomyLevel?: string;
            specModeModelId?: string | null;
            specModeReasoningEffort?: string | null;
            enabledToolIds?: string[];
            disabledToolIds?: string[];
            tags?: components["schemas"]["SessionTag"][];
        } & {
            [key: string]: unknown;
        };
        AvailableSession: {
            sessionId: string;
            title?: string;
            hostId?: string;
            cwd?: string;
            messagesCount?: number;
            tags?: components["schemas"]["SessionTag"][];
            /** @description Unix milliseconds. */
            updatedAt: number;
            /** @description Unix milliseconds. */
            archivedAt?: number;
            /** @description In a fleet: the machine that has it. */
            machineId?: string;
        } & {
            [key: string]: unknown;
        };
        MissingMachine: {
            /** @description In a fleet: the machine that has it. */
            machineId: string;
            /** @description In a fleet: the machine that has it. */
            code: string;
            /** @description In a fleet: the machine that has it. */
            detail: string;
        } & {
            [key: string]: unknown;
        };
        InboxRequest: ({
            requestId: string;
            sessionId: string;
            createdAt: number;
            deadlineAt?: number;
            /** @constant */
            method: "request_permission";
            params: {
                sessionId: string;
                toolUses: ({
                    toolUse: {
                        /** @constant */
                        type?: "tool_use";
                        id: string;
                        name: string;
                        input: unknown;
                        thoughtSignature?: string;
                    } & {
                        [key: string]: unknown;
                    };
                    confirmationType: string;
                    details: {
                        type: string;
                    } & {
                        [key: string]: unknown;
                    };
                } & {
                    [key: string]: unknown;
                })[];
                options: ({
                    label: string;
                    value: string;
                } & {
                    [key: string]: unknown;
                })[];
                associatedSessionIds?: string[];
            } & {
                [key: string]: unknown;
            };
        } & {
            [key: string]: unknown;
        }) | ({
            requestId: string;
            sessionId: string;
            createdAt: number;
            deadlineAt?: number;
            /** @constant */
            method: "ask_user";
            params: {
                sessionId: string;
                toolCallId: string;
                questions: ({
                    index: number;
                    topic: string;
                    question: string;
                    options: string[];
                } & {
                    [key: string]: unknown;
                })[];
            } & {
                [key: string]: unknown;
            };
        } & {
            [key: string]: unknown;
        });
        McpServerConfig: ({
            name: string;
            /** @constant */
            type?: "stdio";
            command: string;
            args: string[];
            env?: {
                [key: string]: string;
            };
        } & {
            [key: string]: unknown;
        }) | ({
            name: string;
            /** @enum {string} */
            type: "http" | "sse";
            url: string;
            headers?: ({
                name: string;
                value: string;
            } & {
                [key: string]: unknown;
            })[];
            /** @constant */
            oauth?: false;
        } & {
            [key: string]: unknown;
        });
        ImageSource: {
            /** @constant */
            type: "base64";
            data: string;
            mediaType: string;
        } & {
            [key: string]: unknown;
        };
        FileSource: ({
            /** @constant */
            type: "base64";
            /** @constant */
            mediaType: "application/pdf";
            data: string;
            parsedData?: string;
            name?: string;
            path?: string;
        } & {
            [key: string]: unknown;
        }) | ({
            /** @constant */
            type: "text";
            /** @constant */
            mediaType: "text/plain";
            data: string;
            name?: string;
            mime?: string;
        } & {
            [key: string]: unknown;
        });
        PermissionAnswer: {
            selectedOption: string;
            comment?: string;
            editedSpecContent?: string;
            sessionId?: string;
        } & {
            [key: string]: unknown;
        };
        QuestionsAnswer: {
            cancelled?: boolean;
            answers: ({
                index: number;
                question: string;
                answer: string;
            } & {
                [key: string]: unknown;
            })[];
            sessionId?: string;
        } & {
            [key: string]: unknown;
        };
        Receipt: {
            messageId: string;
            state: string;
            reason?: string;
            acceptedAt?: number;
            endedAt?: number;
            text?: string;
            firstSeq?: number;
            lastSeq?: number;
            tokenUsage?: {
                inputTokens: number;
                outputTokens: number;
                cacheCreationTokens: number;
                cacheReadTokens: number;
                thinkingTokens: number;
                factoryCredits?: number;
            } & {
                [key: string]: unknown;
            };
        } & {
            [key: string]: unknown;
        };
        SessionPage: {
            sessions: components["schemas"]["AvailableSession"][];
            hasMore: boolean;
            /** @description `before` of the next page. */
            nextCursor?: number;
            /** @description In a fleet: the machines that have no part in this answer, and why. Empty where it is whole. */
            missing?: components["schemas"]["MissingMachine"][];
        } & {
            [key: string]: unknown;
        };
        MessagePage: {
            messages: components["schemas"]["SessionMessage"][];
            hasMore: boolean;
            nextCursor?: string;
        } & {
            [key: string]: unknown;
        };
        SearchResult: {
            query: string;
            sessions: ({
                sessionId: string;
                title?: string;
                updatedAt?: number;
                hits: ({
                    docId: string;
                    kind: string;
                    snippets: string[];
                    score?: number;
                    toolName?: string;
                    messageRole?: string;
                } & {
                    [key: string]: unknown;
                })[];
            } & {
                [key: string]: unknown;
            })[] & ({
                /** @description In a fleet: the machine that has it. */
                machineId?: string;
            } & {
                [key: string]: unknown;
            })[];
            isIncomplete?: boolean;
            /** @description In a fleet: the machines that have no part in this answer, and why. Empty where it is whole. */
            missing?: components["schemas"]["MissingMachine"][];
        };
        Requests: {
            requests: (components["schemas"]["InboxRequest"] & ({
                /** @description In a fleet: the machine that has it. */
                machineId?: string;
            } & {
                [key: string]: unknown;
            }))[];
            /** @description In a fleet: the machines that have no part in this answer, and why. Empty where it is whole. */
            missing?: components["schemas"]["MissingMachine"][];
        } & {
            [key: string]: unknown;
        };
        Machine: {
            /** @description In a fleet: the machine that has it. */
            machineId: string;
            /**
             * @description `lost`: it renewed its entry in the registry too long ago.
             * @enum {string}
             */
            state: "online" | "lost";
            labels: {
                [key: string]: string;
            };
            /** @description Names of its agents, the default first. */
            agents: string[];
            /** @description Sessions at work. */
            working: number;
            /** @description Sessions at work that count as full. */
            capacity: number;
            /** @description `working` by `capacity`. */
            load: number;
            version: string;
        } & {
            [key: string]: unknown;
        };
        Machines: {
            machines: components["schemas"]["Machine"][];
        } & {
            [key: string]: unknown;
        };
        Session: {
            /** @description In a fleet: the machine that has it. */
            sessionId: string;
            title?: string;
            cwd?: string;
            settings: components["schemas"]["SessionSettings"];
            /** @description The newest messages; `GET …/messages` has all, in pages. */
            messages: components["schemas"]["SessionMessage"][];
            /** @description Id of an event, opaque: `Last-Event-ID` and `after` take it. */
            lastEventId?: string;
        } & {
            [key: string]: unknown;
        };
        NewSession: {
            modelId?: string;
            reasoningEffort?: string;
            interactionMode?: string;
            autonomyLevel?: string;
            specModeModelId?: string | null;
            specModeReasoningEffort?: string | null;
            tags?: components["schemas"]["SessionTag"][];
            enabledToolIds?: string[];
            disabledToolIds?: string[];
            compactionTokenLimit?: number;
            compactionThresholdCheckEnabled?: boolean;
            mcpServers?: components["schemas"]["McpServerConfig"][];
            sessionSource?: {
                platform: string;
            } & {
                [key: string]: unknown;
            };
            /**
             * Format: uuid
             * @description A random UUID. The same id again gives the same session.
             */
            sessionId?: string;
            /** @description Working directory of the agent. */
            cwd?: string;
            /** @description Name of a configured agent. */
            agent?: string;
            /** @description In a fleet: the machine that has it. */
            systemPrompt?: string;
            /** @description In a fleet: labels that the machine must have. One with the agent and these labels is chosen by its load. */
            labels?: {
                [key: string]: string;
            };
        };
        SessionChange: {
            title: string;
        };
        Prompt: {
            text: string;
            images?: components["schemas"]["ImageSource"][];
            files?: components["schemas"]["FileSource"][];
            outputFormat?: {
                /** @constant */
                type: "json_schema";
                schema: {
                    [key: string]: unknown;
                };
            } & {
                [key: string]: unknown;
            };
        };
        Accepted: {
            /** @description In a fleet: the machine that has it. */
            messageId: string;
            receipt: components["schemas"]["Receipt"];
        } & {
            [key: string]: unknown;
        };
        Answer: components["schemas"]["PermissionAnswer"] | components["schemas"]["QuestionsAnswer"];
        Event: {
            /** @description Such as `assistant`, `tool_call`, `gap`, `result`. New types may be added. */
            type: string;
            /** @description Id of the prompt whose turn the event belongs to. */
            turnId?: string;
        } & {
            [key: string]: unknown;
        };
        NewWebhook: {
            /** Format: uri */
            url: string;
            /** @description In a fleet: the machine that has it. */
            sessionId: string;
            /** @description Types of events. Default: `result`, `requests`. */
            events?: string[];
            /** @description Id of an event. Default: the events from now on. */
            after?: string;
        };
        Webhook: {
            /** Format: uri */
            url: string;
            /** @description In a fleet: the machine that has it. */
            sessionId: string;
            events: string[];
            /** @description In a fleet: the machine that has it. */
            webhookId: string;
            /** @description Unix milliseconds. */
            createdAt: number;
            /** @description Id of an event, opaque: `Last-Event-ID` and `after` take it. */
            lastEventId: string;
            /** @description Unix milliseconds. */
            failingSince?: number;
        } & {
            [key: string]: unknown;
        };
        AddedWebhook: {
            /** Format: uri */
            url: string;
            /** @description In a fleet: the machine that has it. */
            sessionId: string;
            events: string[];
            /** @description In a fleet: the machine that has it. */
            webhookId: string;
            /** @description Unix milliseconds. */
            createdAt: number;
            /** @description Id of an event, opaque: `Last-Event-ID` and `after` take it. */
            lastEventId: string;
            /** @description Unix milliseconds. */
            failingSince?: number;
            /** @description Signs each delivery. It is stated here only. */
            secret: string;
        } & {
            [key: string]: unknown;
        };
        Webhooks: {
            webhooks: components["schemas"]["Webhook"][];
        } & {
            [key: string]: unknown;
        };
        Problem: {
            type: string;
            title: string;
            status: number;
            detail: string;
            /** @description Stable code of the failure. */
            code: string;
            retryable: boolean;
        } & {
            [key: string]: unknown;
        };
    };
    responses: {
        /** @description Failed. `code` is stable; docs/errors.md lists all of them. */
        Problem: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
    };
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    listSessions: {
        parameters: {
            query?: {
                /** @description Size of the page, 100 at most. */
                limit?: number;
                /** @description Unix milliseconds; `nextCursor` of the page before. */
                before?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionPage"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    createSession: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewSession"];
            };
        };
        responses: {
            /** @description The session. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getSession: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                sessionId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The session. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    deleteSession: {
        parameters: {
            query?: {
                /** @description Whether a turn that runs is ended. Default false. */
                force?: "true" | "false";
            };
            header?: never;
            path: {
                sessionId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    renameSession: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                sessionId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SessionChange"];
            };
        };
        responses: {
            /** @description Done. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    archiveSession: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                sessionId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    unarchiveSession: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                sessionId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    closeSession: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                sessionId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    interruptSession: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                sessionId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Done. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    searchSessions: {
        parameters: {
            query: {
                query: string;
                kind?: string;
                limitSessions?: number;
                limitHitsPerSession?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Hits, by session. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SearchResult"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listMessages: {
        parameters: {
            query?: {
                /** @description Size of the page, 100 at most. */
                limit?: number;
                /** @description `nextCursor` of the page before. */
                cursor?: string;
                role?: string;
            };
            header?: never;
            path: {
                sessionId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessagePage"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    sendMessage: {
        parameters: {
            query?: never;
            header?: {
                /** @description Id of the message. A repeated request with the same key acts once. Default: a new UUID. */
                "Idempotency-Key"?: string;
            };
            path: {
                sessionId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Prompt"];
            };
        };
        responses: {
            /** @description Stored. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Accepted"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getReceipt: {
        parameters: {
            query?: {
                /** @description Seconds to wait for the end of the turn. Default 0. */
                wait?: number;
            };
            header?: never;
            path: {
                sessionId: string;
                messageId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The receipt, final or not. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Receipt"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    followSession: {
        parameters: {
            query?: {
                /** @description Whether parts of messages are sent. Default false. */
                partial?: "true" | "false";
                /** @description Id of an event; `Last-Event-ID` takes precedence. */
                after?: string;
            };
            header?: {
                /** @description Id of the last event that was received: the events after it follow. */
                "Last-Event-ID"?: string;
            };
            path: {
                sessionId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Server-sent events. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": components["schemas"]["Event"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listRequests: {
        parameters: {
            query?: {
                sessionId?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The pending requests. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Requests"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    answerRequest: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                requestId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Answer"];
            };
        };
        responses: {
            /** @description Answered. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    listWebhooks: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All of them. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Webhooks"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    addWebhook: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewWebhook"];
            };
        };
        responses: {
            /** @description Added. The secret is stated once. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AddedWebhook"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getWebhook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                webhookId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The webhook. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Webhook"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    removeWebhook: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                webhookId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Removed. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    listMachines: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All machines that are known. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Machines"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
}
