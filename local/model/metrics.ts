const seconds = [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80]
const sizes = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000]

interface Histogram {
  bounds: number[]
  counts: number[]
  sum: number
  count: number
}

const histograms = {
  'vllm:time_to_first_token_seconds': seconds,
  'vllm:inter_token_latency_seconds': seconds,
  'vllm:request_time_per_output_token_seconds': seconds,
  'vllm:e2e_request_latency_seconds': seconds,
  'vllm:request_queue_time_seconds': seconds,
  'vllm:request_prefill_time_seconds': seconds,
  'vllm:request_decode_time_seconds': seconds,
  'vllm:request_inference_time_seconds': seconds,
  'vllm:request_prompt_tokens': sizes,
  'vllm:request_generation_tokens': sizes,
}

const counters = {
  'vllm:prefix_cache_queries_total': 0,
  'vllm:prefix_cache_hits_total': 0,
  'vllm:prompt_tokens_total': 0,
  'vllm:generation_tokens_total': 0,
  'vllm:num_preemptions_total': 0,
}

/** Counters, gauges and histograms under the names that vLLM gives them, in Prometheus text. */
export class Metrics {
  readonly #model: string
  readonly #counters = new Map<string, number>(Object.entries(counters))
  readonly #finished = new Map<string, number>()
  readonly #histograms = new Map<string, Histogram>(
    Object.entries(histograms).map(([name, bounds]) => [
      name,
      { bounds, counts: bounds.map(() => 0), sum: 0, count: 0 },
    ]),
  )

  constructor(model: string) {
    this.#model = model
  }

  count(name: keyof typeof counters, by: number) {
    this.#counters.set(name, (this.#counters.get(name) ?? 0) + by)
  }

  finish(reason: string) {
    this.#finished.set(reason, (this.#finished.get(reason) ?? 0) + 1)
  }

  observe(name: keyof typeof histograms, value: number) {
    const histogram = this.#histograms.get(name)
    if (histogram === undefined) return
    histogram.sum += value
    histogram.count += 1
    for (const [index, bound] of histogram.bounds.entries()) {
      if (value <= bound) histogram.counts[index] = (histogram.counts[index] ?? 0) + 1
    }
  }

  write(gauges: { running: number; waiting: number; cacheUsed: number }): string {
    const labels = `model_name="${this.#model.replace(/["\\\n]/g, '_')}",engine="0"`
    const lines: string[] = []
    const gauge = (name: string, value: number) => lines.push(`# TYPE ${name} gauge`, `${name}{${labels}} ${value}`)
    gauge('vllm:num_requests_running', gauges.running)
    gauge('vllm:num_requests_waiting', gauges.waiting)
    gauge('vllm:kv_cache_usage_perc', gauges.cacheUsed)
    for (const [name, value] of this.#counters) lines.push(`# TYPE ${name} counter`, `${name}{${labels}} ${value}`)
    lines.push('# TYPE vllm:request_success_total counter')
    for (const reason of ['stop', 'length', 'abort']) {
      lines.push(`vllm:request_success_total{${labels},finished_reason="${reason}"} ${this.#finished.get(reason) ?? 0}`)
    }
    for (const [name, { bounds, counts, sum, count }] of this.#histograms) {
      lines.push(`# TYPE ${name} histogram`)
      for (const [index, bound] of bounds.entries())
        lines.push(`${name}_bucket{${labels},le="${bound}"} ${counts[index] ?? 0}`)
      lines.push(
        `${name}_bucket{${labels},le="+Inf"} ${count}`,
        `${name}_sum{${labels}} ${sum}`,
        `${name}_count{${labels}} ${count}`,
      )
    }
    return `${lines.join('\n')}\n`
  }
}
