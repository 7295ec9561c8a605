package runner
import ("testing";"time";"context";"jobrunner/jobs";"github.com/google/uuid";"github.com/rs/zerolog")
func TestZZBench(t *testing.T){
 for _, limit := range []int{2,8,64} {
 typ:=&jobs.Type{Name:"true",Command:[]string{"true"},Args:jobs.ArgRules{Max:-1},Umask:-1}
 w:=newWorld(t,limit,typ); w.log=zerolog.Nop()
 const n=3000
 var es []jobs.Entry
 var last string
 for i:=0;i<n;i++{ last=uuid.NewString(); es=append(es,jobs.Entry{Job:&jobs.Job{ID:last,Type:"true",Target:"true",State:jobs.Pending,Attempt:1,Source:"x"}})}
 if _,err:=w.queue.Accept(context.Background(),jobs.Intake{Entries:es});err!=nil{t.Fatal(err)}
 b:=time.Now()
 _,stop:=w.serve()
 w.poll("all done",func()bool{s,_:=w.queue.Stats(context.Background());return s.States[jobs.Completed]==n})
 d:=time.Since(b)
 t.Logf("limit %d: %d jobs in %s = %s a job", limit,n,d,d/n)
 stop()
 }
}
