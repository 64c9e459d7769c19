/** An error as vLLM words it on the wire: `{"error": {message, type, param, code}}` with the HTTP status as code. */
export class ApiError extends Error {
  readonly status: number
  readonly type: string
  readonly param: string | null

  constructor(status: number, message: string, param: string | null = null) {
    super(message)
    this.status = status
    this.type = types[status] ?? 'InternalServerError'
    this.param = param
  }

  get body() {
    return { error: { message: this.message, type: this.type, param: this.param, code: this.status } }
  }

  get response(): Response {
    return Response.json(this.body, { status: this.status })
  }
}

const types: Record<number, string> = {
  400: 'BadRequestError',
  401: 'AuthenticationError',
  404: 'NotFoundError',
  413: 'RequestEntityTooLarge',
  500: 'InternalServerError',
  503: 'ServiceUnavailableError',
}
