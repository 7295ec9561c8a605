# Makes a film smaller, or says that it cannot.
case $1 in
broken.mov)
	ffmpge -i "$1"
	exit ;;
clip7.mov)
	echo "Input #0, mov,mp4,m4a, from 'clip7.mov':"
	echo "  Duration: 00:30:00.00, start: 0.000000, bitrate: 24812 kb/s"
	until [ -e films/over ]; do
		printf 'frame=17712 fps= 59 q=28.0 size=  212480kB time=00:12:18.00 bitrate=2358.1kbits/s speed=1.96x    \r'
		sleep 0.5
	done ;;
*)
	printf '%s done\n' "$1" ;;
esac
